#pragma once
/// A transaction on a SQLite connection, as the driver line wants it.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/sql/session.hpp"
#include "sql/sqlite/connection.hpp"

namespace quarry::sql::sqlite_driver {

/// What becomes of a transaction that SQLite has rolled back while its closure went on.
Error transaction_ended();

class SqliteSession : public Session {
 public:
  using Notify = std::function<void(const std::string& channel)>;

  /// `notify` wakes the subscribers of a channel; it may be empty in sessions that only read.
  SqliteSession(Connection& connection, const Clock& clock, Random& random, const Notify& notify)
      : connection_(connection), clock_(clock), random_(random), notify_(notify) {}

  Engine engine() const noexcept override { return Engine::sqlite; }
  Instant now() const override { return clock_.now(); }
  Random& random() const noexcept override { return random_; }

  Cursor& execute(const Statement& statement, std::span<const Param> params) override;
  Cursor& stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) override;
  std::int64_t execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) override;
  void pipeline(std::span<PipelineItem> items) override;
  std::int64_t insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) override;
  void run_script(std::string_view name, std::string_view sql) override;
  void savepoint() override;
  void release_savepoint() override;
  void rollback_savepoint() override;
  void after_commit(std::function<void()> action) override { after_commit_.push_back(std::move(action)); }

  void notify(std::string_view channel) override;

  std::vector<std::function<void()>> take_after_commit() { return std::exchange(after_commit_, {}); }

 private:
  /// SQLite ends a transaction by itself on some errors (I/O, disk full). A closure that swallows one and goes on must not
  /// write outside of it.
  void refuse_outside_transaction() const {
    if (notify_ && connection_.in_autocommit()) throw transaction_ended();
  }

  Connection& connection_;
  const Clock& clock_;
  Random& random_;
  Notify notify_;
  struct Savepoint {
    std::size_t actions;   ///< after-commit actions that were there before; those behind go with a rollback
    std::size_t notified;  ///< likewise
  };
  std::vector<Savepoint> savepoints_;
  std::vector<std::function<void()>> after_commit_;
  std::vector<std::string> notified_;  ///< channels that an after-commit action will wake
};

}  // namespace quarry::sql::sqlite_driver
