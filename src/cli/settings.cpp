#include "cli/settings.hpp"

#include <algorithm>
#include <fmt/format.h>

#include <filesystem>

#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::string_view default_db = "sqlite:data/quarry.db";
constexpr std::string_view default_blobs = "data/blobs";

template <class T>
T first_of(const std::optional<T>& a, const std::optional<T>& b, const std::optional<T>& c, T otherwise) {
  return a ? *a : b ? *b : c ? *c : otherwise;
}

/// The database's name in a URL such as `postgresql://user@host:5432/name?sslmode=require`; empty when it is said in another way, or could not be
/// a part of a file's name as it is.
std::string_view name_in(std::string_view url) {
  const auto authority = url.find("://");
  const auto slash = authority == std::string_view::npos ? authority : url.find('/', authority + 3);
  if (slash == std::string_view::npos) return {};
  const auto name = url.substr(slash + 1, url.find('?', slash) - slash - 1);
  const auto is_plain = [](char c) { return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return std::all_of(name.begin(), name.end(), is_plain) ? name : std::string_view();
}

/// The folder beside a SQLite file, so that a database and its bodies are moved and copied together. It has the file's name in its own:
/// what one database does not know, its collector sweeps away, so that two must never share a folder.
std::string blobs_beside(std::string_view db) {
  constexpr std::string_view scheme = "sqlite:";
  if (!db.starts_with(scheme)) {
    const auto name = name_in(db);
    return name.empty() ? std::string(default_blobs) : "data/" + std::string(name) + "-blobs";
  }
  if (db.substr(scheme.size()) == ":memory:") return std::string(default_blobs);
  return std::string(db.substr(scheme.size())) + "-blobs";
}

std::optional<bool> read_boolean(const std::optional<std::string>& text, const char* name) {
  if (!text) return std::nullopt;
  if (*text == "1" || *text == "true") return true;
  if (*text == "0" || *text == "false") return false;
  throw_invalid(fmt::format("{} is '{}': set it to 1 or 0", name, *text));
}

}  // namespace

PartialSettings settings_from(const Environment& environment) {
  return {.db = environment("QUARRY_DB"),
          .blobs = environment("QUARRY_BLOBS"),
          .json = read_boolean(environment("QUARRY_JSON"), "QUARRY_JSON"),
          .log = environment("QUARRY_LOG")};
}

Settings resolve(const PartialSettings& flags, const PartialSettings& environment, const PartialSettings& file) {
  Settings settings;
  settings.db = first_of(flags.db, environment.db, file.db, std::string(default_db));
  settings.blobs = first_of(flags.blobs, environment.blobs, file.blobs, blobs_beside(settings.db));
  settings.json = first_of(flags.json, environment.json, file.json, false);
  settings.log = log::parse_options(first_of(flags.log, environment.log, file.log, std::string("warn")));
  return settings;
}

}  // namespace quarry::cli
