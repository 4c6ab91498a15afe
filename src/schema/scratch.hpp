#pragma once
/// Schemas made only to be read back: what migrations give, what the desired SQL gives, each in a place of its own.
///
/// SQLite: a database in memory. PostgreSQL: a schema in a transaction that is rolled back, on a connection of its own to
/// `near`'s database, so that nothing has to be cleaned up, whatever happens, and no right to create databases is needed.
/// Within that transaction indexes are built plainly where the script says CONCURRENTLY; the result is the same. Scripts
/// that add values to enums, which cannot be used before they are committed, get a schema that is dropped at the end, or by
/// the next one if we are killed.

#include <cstdint>
#include <functional>
#include <string_view>

#include "quarry/schema/migration.hpp"
#include "quarry/schema/model.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::schema {

/// After the set's up scripts to `version`; at 0 nothing. `look` may add to the model what it finds there besides. Throws
/// `MigrationError` (failed) with file and line.
Model model_of_migrations(const Database& near, const MigrationSet& set, std::int64_t version,
                          const std::function<void(Model&, Read&)>& look = {});

/// After the script `sql`; `name` is for errors.
Model model_of_script(const Database& near, std::string_view name, std::string_view sql);

/// Without the migrator's own tables, which the first migration's down script may leave, so that the log is kept; and
/// without the roles, which other databases may use.
Model without_state_tables(Model model);

/// PostgreSQL: the statement without CONCURRENTLY, as it can stand in a transaction; empty for one that changes no schema
/// (VACUUM).
std::string without_concurrently(std::string_view statement);

}  // namespace quarry::schema
