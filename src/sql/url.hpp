#pragma once
/// Which engine a database URL names, and what is left for the engine to read.

#include <string_view>

#include "quarry/sql/query.hpp"

namespace quarry::sql {

struct DatabaseUrl {
  Engine engine;
  std::string_view rest;  ///< SQLite: the path, or `:memory:`. PostgreSQL: the whole URL, which libpq reads
};

/// Throws `invalid` and shows the forms that are possible. Repeats nothing of the URL but its scheme: there may be a
/// password in it.
DatabaseUrl parse_database_url(std::string_view url);

}  // namespace quarry::sql
