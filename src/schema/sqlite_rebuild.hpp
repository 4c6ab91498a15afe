#pragma once
/// What must be so around a script that makes SQLite tables anew.
///
/// With foreign keys on, dropping the old table deletes every ON DELETE CASCADE child, silently, and foreign_key_check finds
/// nothing wrong afterwards; switching them off inside the transaction does nothing (measured, 3.40). So they go off before
/// BEGIN, that is read back, and they come on again at the end.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "quarry/schema/migration.hpp"
#include "quarry/sql/session.hpp"

namespace quarry::schema {

/// From before the transaction to after it. The destructor restores the settings.
class RebuildMode {
 public:
  /// Throws `bug` when foreign keys cannot be switched off: a transaction is open.
  explicit RebuildMode(sql::Session& session);
  RebuildMode(const RebuildMode&) = delete;
  RebuildMode& operator=(const RebuildMode&) = delete;
  ~RebuildMode();

 private:
  void switch_to(bool rebuild);
  sql::Session& session_;
};

/// Before statement `index`, `drop table T`, where a later one renames N to T: throws `MigrationError` (failed) unless N
/// holds the same rows as T: as many, and the same values in the columns that both define alike. Does nothing before other
/// statements.
void check_copied_rows(sql::Session& session, const Script& script, std::size_t index);

/// Before the commit: foreign keys, the whole file's integrity, and that every view can still be read. Throws
/// `MigrationError` (failed).
void check_rebuilt(sql::Session& session);

struct Replacement {
  std::string old_table;
  std::string new_table;
};
/// The tables that statement `index` is about to replace.
std::optional<Replacement> replacement_at(const std::vector<ScriptStatement>& statements, std::size_t index);

}  // namespace quarry::schema
