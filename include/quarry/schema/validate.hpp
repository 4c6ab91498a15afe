#pragma once
/// Whether a database is what this program takes it for, for whoever operates it.
///
///     const auto found = schema::validate(db);
///     for (const auto& difference : found.differences) std::cout << to_text(difference) << '\n';
///     if (!found.differences.empty()) std::cout << mend_text(found);
///
/// What is expected is made by the engine itself, in a scratch place (`ExpectedSchema`), and read back like the live schema,
/// so that spelling is no difference. Compared is all that a model holds (`model.hpp`: tables, columns, keys, indexes and
/// whether they are valid, triggers and whether they fire, functions, policies, owners, grants, ...), what the two roles may
/// do, and the default plans: whether they are there, and that the free one is active. What else an operator has changed in
/// a plan is told as a note.
///
/// What time and operators bring along is no drift: partitions of `audit_logs` and those that were detached from it, as long
/// as they are as well guarded as the first one; extensions; rights of others on the schema as a whole.
///
/// Errors: `MigrationError` when the database is not at this program's version (`pending`, `newer`, `checksum`, ...);
/// `denied` with the remedy when the role may not make a scratch schema; those of the sql layer. Nothing is changed in the
/// database, but for a schema in a transaction that is rolled back. Thread safety: as `Database`.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/schema/diff.hpp"
#include "quarry/schema/migration.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::schema {

/// What a set of migrations makes. It can be made once and compared with many databases.
struct ExpectedSchema {
  Model model;                      ///< with the rows of the default plans
  std::int64_t server_version = 0;  ///< PostgreSQL's major version that spelled it; 0 on SQLite
};

/// On PostgreSQL made in `near`, which may be another database than the one to be validated (a role there may make schemas
/// where here it may not), if its server has the same major version. On SQLite made in memory.
ExpectedSchema expected_schema(const Database& near, const MigrationSet& set = MigrationSet::embedded());

struct Validation {
  Engine engine = Engine::sqlite;
  std::string schema;                   ///< PostgreSQL: where it stands, as SQL
  std::vector<Difference> differences;  ///< in the order of the model; empty when all is well
  ChangeScript mend;                    ///< one script for all of them
  std::vector<std::string> notes;       ///< what is worth a look, and no drift
  std::size_t objects = 0;              ///< how many were compared
};

/// `expected` is what `set` makes. Throws `invalid` when another major version of PostgreSQL spelled it.
Validation validate(const Database& db, const ExpectedSchema& expected, const MigrationSet& set = MigrationSet::embedded());
/// With what is expected made in the database itself.
Validation validate(const Database& db, const MigrationSet& set = MigrationSet::embedded());

/// The script as a file for the engine's own shell (`sqlite3 -bail`, `psql -v ON_ERROR_STOP=1`): in one transaction, with
/// foreign keys off on SQLite while tables are made anew. Empty when there is nothing to mend.
std::string mend_text(const Validation& validation);

}  // namespace quarry::schema
