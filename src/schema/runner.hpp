#pragma once
/// One run of the migrator: a connection of its own, the lock, and step after step.

#include <memory>
#include <optional>
#include <vector>

#include "quarry/schema/migrator.hpp"
#include "quarry/schema/model.hpp"
#include "quarry/sql/backend.hpp"
#include "schema/blockers.hpp"
#include "schema/postgres_lock.hpp"
#include "schema/state.hpp"

namespace quarry::schema {

/// What is to be done next, as seen from a state.
struct Step {
  const Migration* migration = nullptr;
  Direction direction = Direction::up;
  const Script* script = nullptr;
  std::optional<AppliedMigration> row;  ///< of the migration, where there is one
  bool resumed = false;                 ///< `row` counts what has been done of `script`
  std::size_t first = 0;                ///< statement to begin with

  Moment moment(Moment::What what, std::size_t index) const;
};

/// Empty when `stored` is at `target`. An interrupted script comes first. Throws `MigrationError` when what has been run of
/// it was edited since.
std::optional<Step> next_step(const StoredState& stored, const MigrationSet& set, Engine engine, std::int64_t target);

class Runner {
 public:
  /// Opens the connection and takes the lock.
  Runner(const Database& db, const MigrationSet& set, const MigrateOptions& options);

  StoredState state();
  /// Judges the state; throws when it cannot be migrated.
  Status usable_status();
  /// All steps to `target`.
  std::vector<AppliedStep> run(std::int64_t target);
  Model introspect_live();

 private:
  /// False when somebody else has moved on since the step was chosen.
  bool run_in_transaction(const Step& step);
  bool attempt_in_transaction(const Step& step);
  void run_statements_within(const Step& step);
  void record_in_transaction(const Step& step, std::chrono::steady_clock::duration took);
  bool run_one_by_one(const Step& step);
  void run_singly(const Step& step, AppliedMigration& row, std::size_t index);
  void finish_singly(const Step& step, AppliedMigration& row, std::chrono::steady_clock::duration took);
  bool prepare_concurrent(const Step& step, std::size_t index);
  void record_failure(const Step& step, std::size_t index, const Error& error, AppliedMigration* row);
  bool same_state(const Step& step);
  void verify_lock();
  void tell(const Moment& moment) const;
  [[noreturn]] void rethrow(const Step& step, std::size_t index, const Error& error);
  bool may_try_again(const Error& error, std::chrono::steady_clock::time_point deadline);
  /// Refuses it, unless it is allowed; then makes a backup and returns its path.
  std::string prepare_data_loss(const Step& step);

  const Database& db_;
  const MigrationSet& set_;
  const MigrateOptions& options_;
  Engine engine_;
  std::unique_ptr<sql::DedicatedSession> connection_;
  sql::Session& session_;
  std::optional<PostgresLock> lock_;
  std::optional<BlockerWatch> blockers_;
  bool backed_up_ = false;
  bool from_nothing_ = false;  ///< the database was empty at the start: there is nothing to lose
  std::size_t statement_ = 0;  ///< the one under way, for errors
};

}  // namespace quarry::schema
