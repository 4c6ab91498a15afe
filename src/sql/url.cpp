#include "sql/url.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry::sql {

constexpr const char* forms =
    "write sqlite:data/quarry.db (relative), sqlite:/var/lib/quarry.db (absolute), sqlite::memory: or "
    "postgresql://user@host/database";

DatabaseUrl parse_database_url(std::string_view url) {
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return {Engine::postgres, url};
  const auto colon = url.find(':');
  if (colon == std::string_view::npos) throw_invalid(fmt::format("the database URL has no scheme: {}", forms));
  const auto scheme = url.substr(0, colon);
  const auto rest = url.substr(colon + 1);
  if (scheme != "sqlite") throw_invalid(fmt::format("'{}:' is no database that Quarry knows: {}", scheme, forms));
  // `sqlite:///x` is an absolute path to some and a relative one to others.
  if (rest.starts_with("//"))
    throw_invalid(fmt::format("'sqlite://' means different things in different programs: {}", forms));
  if (rest.empty()) throw_invalid(fmt::format("the database URL has no path: {}", forms));
  // Somebody who writes it means options, and would be given a file of that name.
  if (const auto options = rest.find('?'); options != std::string_view::npos)
    throw_invalid(
        fmt::format("a SQLite URL has no options: take '{}' away. `--synchronous`, `--busy-timeout-ms` and `--connections` "
                    "say what can be said",
                    rest.substr(options)));
  if (rest.find('\0') != std::string_view::npos) throw_invalid("the database URL holds a zero byte");
  return {Engine::sqlite, rest};
}

Engine engine_of(std::string_view url) { return parse_database_url(url).engine; }

}  // namespace quarry::sql
