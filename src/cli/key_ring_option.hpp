#pragma once
/// Where a command finds the keys of sensitive settings: `--keys FILE`, or the setting `keys_file` (settings.hpp), or the
/// variable `QUARRY_KEYS`, which holds the keys themselves. The first that says something wins.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/settings.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::cli {

void add_keys_option(CLI::App& command, std::string& file);

/// Nothing when nobody has said. Throws as `system::KeyRing` does.
std::optional<system::KeyRing> find_keys(const Settings& settings, const std::string& file);
/// Throws `invalid` and says how to name them.
system::KeyRing get_keys(const Settings& settings, const std::string& file);

}  // namespace quarry::cli
