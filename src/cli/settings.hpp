#pragma once
/// What holds for every command, wherever it was said: by a flag, by an environment variable, in the config file, or
/// nowhere. The first of them that says something wins.
///
/// | flag           | environment          | config file | default                  |
/// |----------------|----------------------|-------------|--------------------------|
/// | --db           | QUARRY_DB            | db          | sqlite:data/quarry.db    |
/// | --blobs        | QUARRY_BLOBS         | blobs       | `FILE-blobs` beside the SQLite file; data/NAME-blobs with PostgreSQL |
/// | --json         | QUARRY_JSON (0, 1)   | json        | false                    |
/// | --log          | QUARRY_LOG           | log         | warn                     |
/// | --config-file  | QUARRY_CONFIG_FILE   |             | none                     |

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/log.hpp"

namespace quarry::cli {

/// What one place says. Nothing is checked yet.
struct PartialSettings {
  std::optional<std::string> db{};
  std::optional<std::string> blobs{};
  std::optional<bool> json{};
  std::optional<std::string> log{};
};

struct Settings {
  std::string db;  ///< may hold a password: never printed
  std::string blobs;
  bool json = false;
  log::Options log{};
};

/// The value of an environment variable; nothing when it is not set or empty.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Throws `invalid` for a variable that cannot be read.
PartialSettings settings_from(const Environment& environment);

/// Reads TOML. `file` names it in messages. Throws `invalid` with the line for what is no TOML, and with the key for a key
/// that is not known or a value of another type.
PartialSettings settings_from_toml(std::string_view text, std::string_view file);
/// Throws `not_found` for a file that is not there, `invalid` for what is no regular file or larger than 1 MiB.
PartialSettings settings_from_file(const std::string& file);

/// Throws `invalid` for a log level that is none.
Settings resolve(const PartialSettings& flags, const PartialSettings& environment, const PartialSettings& file);

}  // namespace quarry::cli
