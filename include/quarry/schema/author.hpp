#pragma once
/// For those who change the schema: what the migrations still lack, and new migrations.
///
///     auto sqlite = diff_desired(db, set, DesiredSchema::from_directory("schema"));
///     new_migration("migrations", "add_tags", {{Engine::sqlite, sqlite}});
///
/// Both sides of a comparison are made in a scratch place and read back, so that the engine itself settles what is the same.
/// Read what was generated before you commit it: a rename looks like a loss.
///
/// Errors: those of the database, `MigrationError` for what is wrong with the migrations, `not_found` and `unavailable`
/// for files. Thread safety: pure functions over their arguments, but for the files that are written.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/diff.hpp"
#include "quarry/schema/migration.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::schema {

/// The schema of `db`, as it is.
Model introspect(const Database& db);

struct SchemaDiff {
  std::vector<Difference> differences;  ///< empty when there is nothing to do
  ChangeScript up;                      ///< mends them
  ChangeScript down;                    ///< and takes that back
};

/// From what the migrations give to `desired`. PostgreSQL's side is made in a transaction of `near`'s database that is
/// rolled back; SQLite needs no more than memory.
SchemaDiff diff_desired(const Database& near, const MigrationSet& set, const DesiredSchema& desired);

/// From `db` as it is to what the migrations give at its version: drift. Months' partitions that the upkeep has made are
/// none.
SchemaDiff diff_live(const Database& db, const MigrationSet& set = MigrationSet::embedded());

/// The text of a migration's file: directives, then the statements.
std::string script_text(const ChangeScript& script);

struct NewMigration {
  std::string label;               ///< `0007_add_tags`
  std::vector<std::string> files;  ///< the four paths that were written
};

/// Writes the next migration's four files into `folder`, filled for the engines in `changes` and empty for the others.
/// Throws `MigrationError` (bad_set) when the folder's migrations are wrong, `invalid` for a name that is not of a-z, 0-9
/// and `_`.
NewMigration new_migration(const std::string& folder, std::string_view name,
                           const std::map<Engine, SchemaDiff>& changes = {});

}  // namespace quarry::schema
