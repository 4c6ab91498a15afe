#pragma once
/// A session that asks the engine for the plan of every statement that passes through it, and then lets it pass.

#include <map>
#include <set>
#include <string>

#include "quarry/sql/transaction.hpp"

namespace quarry::test {

class ExplainingSession final : public sql::Session {
 public:
  explicit ExplainingSession(sql::Session& session) : session_(session) {}

  /// By name of the statement: the lines of all its plans.
  const std::map<std::string, std::string>& plans() const { return plans_; }

  sql::Engine engine() const noexcept override { return session_.engine(); }
  Instant now() const override { return session_.now(); }
  Random& random() const noexcept override { return session_.random(); }
  sql::Cursor& execute(const sql::Statement& statement, std::span<const sql::Param> params) override {
    explain(statement, params);
    return session_.execute(statement, params);
  }
  sql::Cursor& stream(const sql::Statement& statement, std::span<const sql::Param> params, std::size_t chunk_rows) override {
    explain(statement, params);
    return session_.stream(statement, params, chunk_rows);
  }
  std::int64_t execute_each(const sql::Statement& statement, std::size_t param_count, const sql::RowSource& rows) override;
  void pipeline(std::span<sql::PipelineItem> items) override { session_.pipeline(items); }
  std::int64_t insert_all(const sql::BulkTarget& target, const sql::RowSource& rows, sql::OnConflict on_conflict) override {
    return session_.insert_all(target, rows, on_conflict);
  }
  void run_script(std::string_view name, std::string_view sql) override { session_.run_script(name, sql); }
  void savepoint() override { session_.savepoint(); }
  void release_savepoint() override { session_.release_savepoint(); }
  void rollback_savepoint() override { session_.rollback_savepoint(); }
  void after_commit(std::function<void()> action) override { session_.after_commit(std::move(action)); }
  void notify(std::string_view channel) override { session_.notify(channel); }

 private:
  void explain(const sql::Statement& statement, std::span<const sql::Param> params);
  void add_plan(const sql::Statement& statement, const std::string& text, std::span<const sql::Param> params);

  sql::Session& session_;
  std::map<std::string, std::string> plans_;
};

}  // namespace quarry::test
