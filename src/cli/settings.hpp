#pragma once
/// What holds for every command, wherever it was said: by a flag, by an environment variable, in the config file, or
/// nowhere. The first of them that says something wins.
///
/// A setting is a member of `PartialSettings`, and its name is what it is called in the config file; the flag and the
/// variable are spelled from it: `busy_timeout_ms`, `--busy-timeout-ms`, `QUARRY_BUSY_TIMEOUT_MS`. docs/cli.md lists them
/// with their defaults.

#include <boost/describe.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/log.hpp"
#include "quarry/sql/options.hpp"

namespace quarry::cli {

/// What one place says. Nothing is checked yet but the type.
struct PartialSettings {
  std::optional<std::string> db{};
  std::optional<std::string> blobs{};
  std::optional<bool> json{};
  std::optional<std::string> log{};
  std::optional<std::string> log_format{};
  std::optional<std::int64_t> slow_query_ms{};
  std::optional<std::string> keys_file{};
  std::optional<std::string> pepper_file{};
  std::optional<std::int64_t> connections{};
  std::optional<std::int64_t> statement_timeout_ms{};
  std::optional<std::int64_t> busy_timeout_ms{};
  std::optional<std::string> synchronous{};
};
BOOST_DESCRIBE_STRUCT(PartialSettings, (),
                      (db, blobs, json, log, log_format, slow_query_ms, keys_file, pepper_file, connections,
                       statement_timeout_ms, busy_timeout_ms, synchronous))

struct Settings {
  std::string db;  ///< may hold a password: never printed
  std::string blobs;
  bool json = false;
  log::Options log{};
  std::optional<std::int64_t> slow_query_ms{};  ///< statements that take as long are logged by name; nothing: none
  std::optional<std::string> keys_file{};
  std::optional<std::string> pepper_file{};
  std::optional<std::int64_t> connections{};
  std::optional<std::int64_t> statement_timeout_ms{};
  std::optional<std::int64_t> busy_timeout_ms{};
  std::optional<Synchronous> synchronous{};

  /// What was said of a database handle, over what a command wants by itself.
  DatabaseOptions applied_to(DatabaseOptions options) const;
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

/// Throws `invalid` for a value that is out of bounds or unknown, and names its setting.
Settings resolve(const PartialSettings& flags, const PartialSettings& environment, const PartialSettings& file);

/// A setting as people are shown it, without a password that a URL may hold.
struct ShownSetting {
  std::string name;
  std::string value;  ///< empty when there is none
  std::string from;   ///< `--db`, `QUARRY_DB`, the config file's name, or `default`
};
BOOST_DESCRIBE_STRUCT(ShownSetting, (), (name, value, from))

/// All that was said, and where.
struct SettingsSources {
  PartialSettings flags{};
  PartialSettings environment{};
  PartialSettings file{};
  std::string file_name{};
};

/// All of them, in the order of `PartialSettings`. Throws as `resolve`.
std::vector<ShownSetting> show_settings(const SettingsSources& sources);

/// `busy_timeout_ms` as it is spelled in the environment, and as a flag.
std::string variable_of(std::string_view setting);
std::string flag_of(std::string_view setting);

}  // namespace quarry::cli
