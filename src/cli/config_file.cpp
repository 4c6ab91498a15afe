/// The config file's half of settings.hpp.

#include "cli/config_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <filesystem>
#include <fstream>

#include "cli/settings.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::string_view known_keys = "db, blobs, json, log";
constexpr std::size_t file_bytes_max = 1 << 20;

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

namespace {

std::string read_file(const std::string& file) {
  std::error_code unknown;
  const auto kind = std::filesystem::status(file, unknown).type();
  // A folder reads as an empty file, a device may never end, and a pipe may never begin.
  if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found &&
      kind != std::filesystem::file_type::none)
    throw_invalid(fmt::format("the config file '{}' is no regular file: check --config-file", file));
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ErrorCode::not_found, fmt::format("the config file '{}' cannot be read: check --config-file", file));
  std::string text(file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw Error(ErrorCode::unavailable, fmt::format("the config file '{}' cannot be read", file));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > file_bytes_max)
    throw_invalid(fmt::format("the config file '{}' is larger than {} bytes: check --config-file", file, file_bytes_max));
  return text;
}

}  // namespace

PartialSettings settings_from_file(const std::string& file) { return settings_from_toml(read_file(file), file); }

std::optional<bool> json_in_file(const std::string& file) {
  try {
    return toml::parse(read_file(file))["json"].value_exact<bool>();
  } catch (const Error&) {
    return std::nullopt;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace quarry::cli
