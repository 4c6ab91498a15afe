/// The config file's half of settings.hpp.

#include "cli/config_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <boost/mp11/algorithm.hpp>

#include "cli/read_file.hpp"
#include "cli/settings.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::string_view this_file = "the config file";
constexpr std::size_t file_bytes_max = 1 << 20;

constexpr std::string_view type_name(const std::optional<std::string>&) { return "a text in quotes"; }
constexpr std::string_view type_name(const std::optional<bool>&) { return "true or false"; }
constexpr std::string_view type_name(const std::optional<std::int64_t>&) { return "a whole number"; }

template <class T>
void read(std::optional<T>& into, const toml::node& node, std::string_view key, std::string_view file) {
  into = node.value_exact<T>();
  if (!into)
    throw_invalid(fmt::format("{}, line {}: '{}' must be {}", file, node.source().begin.line, key, type_name(into)));
  if constexpr (std::is_same_v<T, std::string>)
    if (into->empty())
      throw_invalid(fmt::format("{}, line {}: '{}' is empty: give it a value, or take the line away", file,
                                node.source().begin.line, key));
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

PartialSettings settings_from_file(const std::string& file) {
  return settings_from_toml(read_file(file, this_file, file_bytes_max), file);
}

std::optional<bool> json_in_file(const std::string& file) {
  try {
    return toml::parse(read_file(file, this_file, file_bytes_max))["json"].value_exact<bool>();
  } catch (const Error&) {
    return std::nullopt;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace quarry::cli
