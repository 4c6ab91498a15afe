#pragma once
/// A database that is made once and copied for every test: migrating takes longer than most tests.
///
/// SQLite: a file in a temporary folder, once per process. PostgreSQL: a database in the shared test server, once per
/// server, whichever of several test programs comes first.

#include <filesystem>
#include <functional>
#include <string>

#include "quarry/sql/database.hpp"

namespace quarry::test {

struct DatabaseTemplate {
  /// Letters, digits and underscores. Another content needs another key: a server that outlives the tests keeps its
  /// templates.
  std::string key{};
  /// Makes the content in an empty database. May run in one of several programs, never in two at once for one key.
  std::function<void(Database&)> fill{};
};

/// Copies the template to the SQLite file `target`, which must not exist.
void copy_sqlite_template(const DatabaseTemplate& made_by, const std::filesystem::path& target);

/// Makes the database `name` in the shared test server.
void copy_postgres_template(const DatabaseTemplate& made_by, const std::string& name);

}  // namespace quarry::test
