#pragma once
/// What of the config file must be known before its settings are.

#include <optional>
#include <string>

namespace quarry::cli {

/// Its `json`, whatever is wrong with the rest; nothing when it says none, cannot be read or is no TOML. Never reports: who
/// reads the settings does.
std::optional<bool> json_in_file(const std::string& file);

}  // namespace quarry::cli
