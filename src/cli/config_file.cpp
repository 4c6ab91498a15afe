/// The config file's half of settings.hpp.

#include "cli/config_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <boost/mp11/algorithm.hpp>
#include <filesystem>
#include <fstream>

#include "cli/settings.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::size_t file_bytes_max = 1 << 20;

constexpr std::string_view type_name(const std::optional<std::string>&) { return "a text in quotes"; }
constexpr std::string_view type_name(const std::optional<bool>&) { return "true or false"; }
constexpr std::string_view type_name(const std::optional<std::int64_t>&) { return "a whole number"; }

template <class T>
void read(std::optional<T>& into, const toml::node& node, std::string_view key, std::string_view file) {
  into = node.value_exact<T>();
  if (!into)
    throw_invalid(fmt::format("{}, line {}: '{}' must be {}", file, node.source().begin.line, key, type_name(into)));
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
  using Members = boost::describe::describe_members<PartialSettings, boost::describe::mod_public>;
  for (const auto& [name, node] : table) {
    const std::string_view key = name.str();
    bool is_known = false;
    std::string known;
    boost::mp11::mp_for_each<Members>([&, &node = node](auto member) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", member.name);
      if (key != member.name) return;
      is_known = true;
      read(settings.*member.pointer, node, key, file);
    });
    if (!is_known)
      throw_invalid(
          fmt::format("{}, line {}: the key '{}' is not known; there are {}", file, name.source().begin.line, key, known));
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
