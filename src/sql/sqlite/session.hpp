#pragma once
/// A transaction on a SQLite connection, as the driver line wants it.

#include <functional>
#include <utility>
#include <vector>

#include "quarry/sql/session.hpp"
#include "sql/sqlite/connection.hpp"

namespace quarry::sql::sqlite_driver {

class SqliteSession : public Session {
 public:
  SqliteSession(Connection& connection, const Clock& clock, Random& random)
      : connection_(connection), clock_(clock), random_(random) {}

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

  std::vector<std::function<void()>> take_after_commit() { return std::exchange(after_commit_, {}); }

 private:
  Connection& connection_;
  const Clock& clock_;
  Random& random_;
  struct Savepoint {
    std::size_t actions;  ///< after-commit actions that were there before; those behind go with a rollback
  };
  std::vector<Savepoint> savepoints_;
  std::vector<std::function<void()>> after_commit_;
};

}  // namespace quarry::sql::sqlite_driver
