#pragma once
/// What the database says of itself: the migrator's tables, read and written.

#include <optional>
#include <string>
#include <vector>

#include "quarry/schema/migrator.hpp"

namespace quarry::schema {

enum class Ownership { empty, ours, foreign };

struct StoredState {
  Ownership ownership = Ownership::empty;
  std::vector<AppliedMigration> rows;  ///< by version

  std::int64_t version() const;  ///< the highest one that is finished; 0 for none
  const AppliedMigration* interrupted() const;
};

StoredState read_state(Read& tx);

/// Judges `stored` against `set`: the state, the message, what is pending.
Status judge(const StoredState& stored, const MigrationSet& set, Engine engine, std::string_view display_url);

/// Throws what `status` says is wrong; `behind` and `empty` pass when `may_be_behind`.
void refuse_unless_usable(const Status& status, bool may_be_behind);

bool has_state_tables(Read& tx);
void insert_row(Write& tx, const AppliedMigration& row);
void update_row(Write& tx, const AppliedMigration& row);
void delete_row(Write& tx, std::int64_t version);
void insert_log(Write& tx, const LogEntry& entry);
std::vector<LogEntry> read_log(Read& tx);

/// Who and what runs here: tool version, host and user filled in.
AppliedMigration new_row(const Migration& migration, const Script& script, Instant now);
LogEntry log_of(const AppliedMigration& row, Direction direction, std::string outcome, Instant now);

/// SQLite: marks the file as ours, or as nobody's, within the transaction.
void set_application_id(Write& tx, bool ours);

}  // namespace quarry::schema
