/// The config file's half of settings.hpp.

#include <fmt/format.h>
#include <toml++/toml.h>

#include <fstream>
#include <sstream>

#include "cli/settings.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::string_view known_keys = "db, blobs, json, log";

template <class T>
void read(std::optional<T>& into, const toml::node& node, std::string_view key, std::string_view file,
          std::string_view type) {
  into = node.value_exact<T>();
  if (!into) throw_invalid(fmt::format("{}, line {}: '{}' must be {}", file, node.source().begin.line, key, type));
}

}  // namespace

PartialSettings settings_from_toml(std::string_view text, std::string_view file) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw_invalid(fmt::format("{}, line {}: this is not TOML: {}", file, error.source().begin.line, error.description()));
  }
  PartialSettings settings;
  for (const auto& [name, node] : table) {
    const std::string_view key = name.str();
    if (key == "db")
      read(settings.db, node, key, file, "a text in quotes");
    else if (key == "blobs")
      read(settings.blobs, node, key, file, "a text in quotes");
    else if (key == "log")
      read(settings.log, node, key, file, "a text in quotes");
    else if (key == "json")
      read(settings.json, node, key, file, "true or false");
    else
      throw_invalid(fmt::format("{}, line {}: the key '{}' is not known; there are {}", file, name.source().begin.line, key,
                                known_keys));
  }
  return settings;
}

PartialSettings settings_from_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ErrorCode::not_found, fmt::format("the config file '{}' cannot be read: check --config-file", file));
  std::ostringstream text;
  text << in.rdbuf();
  return settings_from_toml(text.str(), file);
}

}  // namespace quarry::cli
