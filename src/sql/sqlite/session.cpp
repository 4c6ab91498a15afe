#include "sql/sqlite/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "quarry/core/error.hpp"
#include "sql/sqlite/error_map.hpp"

namespace quarry::sql::sqlite_driver {

Error transaction_ended() {
  return Error(ErrorCode::unavailable,
               "a statement failed, which ended the transaction, and its error was swallowed: nothing was committed");
}

Cursor& SqliteSession::execute(const Statement& statement, std::span<const Param> params) {
  refuse_outside_transaction();
  auto& prepared = connection_.prepare(statement);
  prepared.start(params, PreparedStatement::Lifetime::outlives);
  return prepared;
}

Cursor& SqliteSession::stream(const Statement& statement, std::span<const Param> params, std::size_t) {
  refuse_outside_transaction();
  // SQLite gives rows one by one anyway. The arguments may end before the stream does, so they are copied.
  auto& prepared = connection_.prepare(statement);
  prepared.start(params, PreparedStatement::Lifetime::copied);
  return prepared;
}

std::int64_t SqliteSession::execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) {
  refuse_outside_transaction();
  auto& prepared = connection_.prepare(statement);
  std::vector<Param> params(param_count);
  std::int64_t touched = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows.fill(i, params.data());
    prepared.start(params, PreparedStatement::Lifetime::outlives);
    const OpenCursor cursor(prepared);
    while (cursor->step()) {
    }
    touched += cursor->affected_rows();
  }
  return touched;
}

void SqliteSession::pipeline(std::span<PipelineItem> items) {
  for (auto& item : items) {
    try {
      const OpenCursor cursor(execute(*item.statement, item.params));
      item.consume(*cursor);
    } catch (Error& error) {
      error.add_query(item.statement->name);
      throw;
    }
  }
}

std::int64_t SqliteSession::insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) {
  std::string values;
  for (std::size_t i = 1; i <= target.columns.size(); ++i) values += fmt::format("{}?{}", i > 1 ? ", " : "", i);
  const auto sql = fmt::format("insert into {} ({}) values ({}){}", target.name, fmt::join(target.columns, ", "), values,
                               on_conflict == OnConflict::nothing ? " on conflict do nothing" : "");
  return execute_each({target.name, sql, {}, false}, target.columns.size(), rows);
}

void SqliteSession::run_script(std::string_view name, std::string_view sql) {
  refuse_outside_transaction();
  try {
    connection_.execute(std::string(sql).c_str(), "run a script");
  } catch (Error& error) {
    error.add_query(name);
    throw;
  }
}

void SqliteSession::savepoint() {
  refuse_outside_transaction();
  connection_.execute_control(fmt::format("savepoint q{}", savepoints_.size()), "open a savepoint");
  savepoints_.push_back({after_commit_.size(), notified_.size()});
}

void SqliteSession::release_savepoint() {
  connection_.execute_control(fmt::format("release q{}", savepoints_.size() - 1), "release a savepoint");
  savepoints_.pop_back();
}

void SqliteSession::rollback_savepoint() {
  after_commit_.resize(savepoints_.back().actions);
  notified_.resize(savepoints_.back().notified);
  savepoints_.pop_back();
  // After some errors (disk full) SQLite has rolled the whole transaction back by itself, and no savepoint is left.
  if (connection_.in_autocommit()) return;
  connection_.execute_control(fmt::format("rollback to q{}", savepoints_.size()), "undo to a savepoint");
  connection_.execute_control(fmt::format("release q{}", savepoints_.size()), "release a savepoint");
}

void SqliteSession::notify(std::string_view channel) {
  if (!notify_) throw_bug("a session that only reads has nothing to tell");
  if (std::find(notified_.begin(), notified_.end(), channel) != notified_.end()) return;
  notified_.emplace_back(channel);
  after_commit([wake = notify_, name = std::string(channel)] { wake(name); });
}

}  // namespace quarry::sql::sqlite_driver
