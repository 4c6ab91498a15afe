#pragma once
/// Brings a database to the schema that the program wants, tells how far it is, and refuses to work with one that does not
/// fit.
///
///     schema::migrate_up(db, schema::MigrationSet::embedded());      // an empty database becomes a full one
///     schema::check(db);                                             // at the start of every command
///
/// **Alone.** Any number of migrators may start at once; each migration is applied exactly once. On PostgreSQL a migrator
/// holds a session lock that it polls for (a blocking wait would deadlock with CREATE INDEX CONCURRENTLY) and looks after
/// before every step; that takes a connection of its own, not one that PgBouncer lends per transaction. On SQLite it takes
/// the write lock first and reads the state again inside it. When there is nothing to do, no lock is taken.
///
/// **Whole.** A migration, its row in `schema_migrations` and its line in `schema_migration_log` commit together. A script
/// with the `no-transaction` directive writes its row first and counts its statements there; killed at any point, it is
/// resumed by the next run, whatever that run was asked for. An index that CREATE INDEX CONCURRENTLY left invalid is dropped
/// and built again.
///
/// **Gentle.** On PostgreSQL no statement waits longer than `lock_timeout` for a table lock, so that nobody queues behind
/// the migrator for long; it tries again, with pauses, until `lock_wait` is over, and then names who was in the way.
///
/// Errors: `MigrationError` with its reason; `Error` of the sql layer when the database is gone. Thread safety: every
/// function may be called from any thread; none may be called inside a transaction of the same thread.

#include <array>
#include <boost/describe/class.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/error.hpp"
#include "quarry/schema/migration.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::schema {

/// Marks a SQLite file as ours: 'QRRY'.
inline constexpr std::int64_t application_id = 0x51525259;
/// Columns of `schema_migrations` that no other tool's table of this name has: by them one is known as ours.
inline constexpr std::array<std::string_view, 2> state_columns{"statement_hashes", "tool_version"};

/// A row of `schema_migrations`. Times are UTC; a script under way has no `finished_at`.
struct AppliedMigration {
  std::int64_t version = 0;
  std::string name;
  std::string checksum;  ///< of the script that ran: SHA-256 in hex
  std::string kind;      ///< applied, baseline, resolved or inferred
  std::int64_t statement_count = 0;
  std::int64_t applied_count = 0;
  Json statement_hashes;  ///< array of SHA-256 in hex
  Instant started_at;
  std::optional<Instant> finished_at;
  std::optional<std::int64_t> duration_us;
  std::optional<std::string> error_message;
  std::optional<std::string> error_sqlstate;
  std::optional<std::int64_t> error_statement;  ///< from 1
  std::string tool_version;
  std::string host;
  std::string os_user;
};
BOOST_DESCRIBE_STRUCT(AppliedMigration, (),
                      (version, name, checksum, kind, statement_count, applied_count, statement_hashes, started_at,
                       finished_at, duration_us, error_message, error_sqlstate, error_statement, tool_version, host,
                       os_user))

/// A row of `schema_migration_log`, which is only ever added to.
struct LogEntry {
  std::int64_t version = 0;
  std::string name;
  std::string direction;  ///< up or down
  std::string checksum;
  Instant started_at;
  std::optional<Instant> finished_at;
  std::string outcome;  ///< applied, reverted, failed, ...
  std::optional<std::string> error_message;
  std::optional<std::string> error_sqlstate;
  std::optional<std::int64_t> error_statement;
  std::string tool_version;
  std::string host;
  std::string os_user;
};
BOOST_DESCRIBE_STRUCT(LogEntry, (),
                      (version, name, direction, checksum, started_at, finished_at, outcome, error_message, error_sqlstate,
                       error_statement, tool_version, host, os_user))

enum class State {
  empty,    ///< nothing there yet: `quarry init`
  current,  ///< at the set's head
  behind,   ///< migrations are pending, or one was interrupted
  newer,    ///< knows migrations that the set does not
  edited,   ///< an applied migration is not the one in the set
  foreign,  ///< somebody else's database
};
/// The name, as commands print it.
std::string_view to_string(State state) noexcept;

struct Status {
  State state = State::empty;
  std::string message;       ///< for a person: what is the matter and what to do; empty when current
  std::int64_t version = 0;  ///< the highest one that is wholly applied
  std::int64_t head = 0;     ///< of the set
  std::vector<AppliedMigration> applied;
  std::vector<std::string> pending;  ///< labels
  std::vector<std::string> edited;   ///< labels
  std::optional<AppliedMigration> interrupted;
};

struct PlannedStep {
  std::int64_t version = 0;
  std::string name;
  Direction direction = Direction::up;
  std::string path;  ///< of the script
  bool no_transaction = false;
  bool destructive = false;
  bool rebuild = false;
  std::size_t first_statement = 0;  ///< more than 0 when an interrupted script is resumed
  std::vector<std::string> statements;
};

struct AppliedStep {
  std::int64_t version = 0;
  std::string name;
  Direction direction = Direction::up;
  std::size_t statements = 0;  ///< run by us
  std::chrono::microseconds duration{0};
  bool resumed = false;
  std::string backup;  ///< the copy that was made before data was destroyed, where there is one
};

/// Where a migrator is; for progress, and for tests that stop it there.
struct Moment {
  enum class What { statement, commit, done } what = What::statement;
  std::int64_t version = 0;
  std::string_view name;
  Direction direction = Direction::up;
  std::size_t index = 0;  ///< of the statement, from 0
  std::size_t count = 0;
  std::string_view sql;
};

struct MigrateOptions {
  /// Run scripts that destroy data.
  bool allow_data_loss = false;
  /// SQLite: before the first script of a run that destroys data, copy the file into one beside it, and check the copy.
  bool backup = true;
  /// Afterwards read the schema back and compare it with what the migrations make. On PostgreSQL that needs the right to
  /// create a schema in the database; without it a warning is logged instead.
  bool verify = true;
  /// How long to wait for another migrator, and in all for other transactions' locks.
  std::chrono::milliseconds lock_wait{60'000};
  /// How long one statement may wait, and let others queue behind it, at a time.
  std::chrono::milliseconds lock_timeout{1'000};
  /// Called on the migrating thread before every statement and around commits. What it throws stops the migrator.
  std::function<void(const Moment&)> at_moment{};
  /// Called when the migrator has to wait, with the reason.
  std::function<void(const std::string&)> on_wait{};
};

/// How far the database is. Throws only when it cannot be read.
Status status(const Database& db, const MigrationSet& set = MigrationSet::embedded());

/// Throws `MigrationError` with the remedy unless the database is `current`.
void check(const Database& db, const MigrationSet& set = MigrationSet::embedded());

/// All that has been done, oldest first. Empty for an empty database.
std::vector<LogEntry> history(const Database& db);

/// What `migrate_to` would do now. Throws like it.
std::vector<PlannedStep> plan(const Database& db, const MigrationSet& set, std::int64_t version);

/// To the set's head.
std::vector<AppliedStep> migrate_up(const Database& db, const MigrationSet& set, const MigrateOptions& options = {});
/// Undoes the last `steps` migrations.
std::vector<AppliedStep> migrate_down(const Database& db, const MigrationSet& set, std::int64_t steps = 1,
                                      const MigrateOptions& options = {});
/// Up or down; 0 is an empty database.
std::vector<AppliedStep> migrate_to(const Database& db, const MigrationSet& set, std::int64_t version,
                                    const MigrateOptions& options = {});

}  // namespace quarry::schema
