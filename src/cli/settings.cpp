#include "cli/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/mp11/algorithm.hpp>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "quarry/core/error.hpp"
#include "quarry/core/path.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::cli {
namespace {

constexpr std::string_view default_db = "sqlite:data/quarry.db";
constexpr std::string_view default_blobs = "data/blobs";
constexpr std::int64_t connections_max = 10'000;
constexpr std::int64_t timeout_ms_max = 24 * 3600 * 1000;

using Members = boost::describe::describe_members<PartialSettings, boost::describe::mod_public>;

/// The database's name in a URL such as `postgresql://user@host:5432/name?sslmode=require`; empty when it is said in another
/// way, or could not be a part of a file's name as it is.
std::string_view name_in(std::string_view url) {
  const auto authority = url.find("://");
  const auto slash = authority == std::string_view::npos ? authority : url.find('/', authority + 3);
  if (slash == std::string_view::npos) return {};
  const auto name = url.substr(slash + 1, url.find('?', slash) - slash - 1);
  const auto is_plain = [](char c) {
    return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  return std::all_of(name.begin(), name.end(), is_plain) ? name : std::string_view();
}

/// The folder beside a SQLite file, so that a database and its bodies are moved and copied together. It has the file's name
/// in its own: what one database does not know, its collector sweeps away, so that two must never share a folder.
std::string blobs_beside(std::string_view db) {
  constexpr std::string_view scheme = "sqlite:";
  if (!db.starts_with(scheme)) {
    const auto name = name_in(db);
    return name.empty() ? std::string(default_blobs) : "data/" + std::string(name) + "-blobs";
  }
  if (db.substr(scheme.size()) == ":memory:") return std::string(default_blobs);
  const std::filesystem::path file(db.substr(scheme.size()));
  std::error_code absent;
  // By a link, too, the bodies are beside the file itself.
  return (std::filesystem::is_symlink(file, absent) ? resolved_path(file) : file).native() + "-blobs";
}

void read_text(std::optional<std::string>& into, const std::string& text, const std::string&) { into = text; }

void read_text(std::optional<bool>& into, const std::string& text, const std::string& name) {
  if (text == "1" || text == "true")
    into = true;
  else if (text == "0" || text == "false")
    into = false;
  else
    throw_invalid(fmt::format("{} is '{}': set it to 1 or 0", name, text));
}

void read_text(std::optional<std::int64_t>& into, const std::string& text, const std::string& name) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw_invalid(fmt::format("{} is '{}': set it to a whole number", name, text));
  into = value;
}

void check_range(const char* name, const std::optional<std::int64_t>& value, std::int64_t max) {
  if (value && (*value < 1 || *value > max))
    throw_invalid(fmt::format("the setting '{}' is {}: it must be from 1 to {}", name, *value, max));
}

/// `log` may name a format as well; the setting that names nothing else wins.
log::Options read_log(const PartialSettings& said) {
  auto options = log::parse_options(said.log.value_or("warn"));
  if (!said.log_format) return options;
  if (*said.log_format == "json")
    options.format = log::Format::json;
  else if (*said.log_format == "text")
    options.format = log::Format::text;
  else
    throw_invalid(fmt::format("the setting 'log_format' is '{}': there are text and json", *said.log_format));
  return options;
}

Synchronous read_synchronous(const std::string& text) {
  if (text == "full") return Synchronous::full;
  if (text == "normal") return Synchronous::normal;
  throw_invalid(fmt::format("the setting 'synchronous' is '{}': there are full and normal", text));
}

/// The first of three that says something, member by member.
PartialSettings merge(const PartialSettings& flags, const PartialSettings& environment, const PartialSettings& file) {
  PartialSettings merged;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    for (const auto* one : {&flags, &environment, &file})
      if (!(merged.*member.pointer)) merged.*member.pointer = one->*member.pointer;
  });
  return merged;
}

std::string to_shown(const std::optional<std::string>& value) { return value.value_or(""); }
std::string to_shown(const std::optional<bool>& value) { return value ? (*value ? "true" : "false") : ""; }
std::string to_shown(const std::optional<std::int64_t>& value) { return value ? fmt::format("{}", *value) : ""; }

/// What holds where nobody has said anything.
PartialSettings defaults_for(const std::string& db) {
  const DatabaseOptions options;
  return {.db = std::string(default_db),
          .blobs = blobs_beside(db),
          .json = false,
          .log = "warn",
          .connections = static_cast<std::int64_t>(options.connections_max),
          .statement_timeout_ms = options.statement_timeout.count(),
          .busy_timeout_ms = options.busy_timeout.count(),
          .synchronous = "full"};
}

}  // namespace

std::string variable_of(std::string_view setting) {
  std::string name = "QUARRY_";
  for (const char c : setting) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::string flag_of(std::string_view setting) {
  std::string name = "--" + std::string(setting);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

PartialSettings settings_from(const Environment& environment) {
  PartialSettings settings;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    const auto name = variable_of(member.name);
    if (const auto text = environment(name.c_str())) read_text(settings.*member.pointer, *text, name);
  });
  return settings;
}

Settings resolve(const PartialSettings& flags, const PartialSettings& environment, const PartialSettings& file) {
  const auto said = merge(flags, environment, file);
  check_range("connections", said.connections, connections_max);
  check_range("statement_timeout_ms", said.statement_timeout_ms, timeout_ms_max);
  check_range("slow_query_ms", said.slow_query_ms, timeout_ms_max);
  check_range("busy_timeout_ms", said.busy_timeout_ms, timeout_ms_max);
  Settings settings;
  settings.db = said.db.value_or(std::string(default_db));
  settings.blobs = said.blobs.value_or(blobs_beside(settings.db));
  settings.json = said.json.value_or(false);
  settings.log = read_log(said);
  settings.slow_query_ms = said.slow_query_ms;
  settings.keys_file = said.keys_file;
  settings.pepper_file = said.pepper_file;
  settings.connections = said.connections;
  settings.statement_timeout_ms = said.statement_timeout_ms;
  settings.busy_timeout_ms = said.busy_timeout_ms;
  if (said.synchronous) settings.synchronous = read_synchronous(*said.synchronous);
  return settings;
}

DatabaseOptions Settings::applied_to(DatabaseOptions options) const {
  if (connections) {
    options.connections_max = static_cast<std::size_t>(*connections);
    options.connections_min = std::min(options.connections_min, options.connections_max);
  }
  if (statement_timeout_ms) options.statement_timeout = std::chrono::milliseconds{*statement_timeout_ms};
  if (busy_timeout_ms) options.busy_timeout = std::chrono::milliseconds{*busy_timeout_ms};
  if (synchronous) options.synchronous = *synchronous;
  return options;
}

std::vector<ShownSetting> show_settings(const SettingsSources& sources) {
  const auto settings = resolve(sources.flags, sources.environment, sources.file);
  const auto defaults = defaults_for(settings.db);
  std::vector<ShownSetting> shown;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    ShownSetting one{.name = member.name, .value = to_shown(defaults.*member.pointer), .from = "default"};
    const auto take = [&](const PartialSettings& place, std::string from) {
      if (place.*member.pointer)
        one = {.name = member.name, .value = to_shown(place.*member.pointer), .from = std::move(from)};
    };
    take(sources.file, sources.file_name);
    take(sources.environment, variable_of(member.name));
    take(sources.flags, flag_of(member.name));
    if (one.name == "db") one.value = Database::shown_url(one.value);
    shown.push_back(std::move(one));
  });
  return shown;
}

}  // namespace quarry::cli
