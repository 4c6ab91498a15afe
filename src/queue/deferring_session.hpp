#pragma once
/// A session like the one it stands before, which keeps the sums of hosts and counters until they are asked for.

#include <vector>

#include "queue/effects.hpp"

namespace quarry::queue {

class DeferringSession final : public sql::Session {
 public:
  explicit DeferringSession(sql::Session& session) : session_(session) { Session::act_as(session.actor()); }

  Effects& effects() noexcept { return effects_; }

  void act_as(const Actor& actor) override {
    session_.act_as(actor);
    Session::act_as(actor);
  }
  sql::Engine engine() const noexcept override { return session_.engine(); }
  Instant now() const override { return session_.now(); }
  Random& random() const noexcept override { return session_.random(); }
  sql::Cursor& execute(const sql::Statement& statement, std::span<const sql::Param> params) override {
    return session_.execute(statement, params);
  }
  sql::Cursor& stream(const sql::Statement& statement, std::span<const sql::Param> params, std::size_t chunk_rows) override {
    return session_.stream(statement, params, chunk_rows);
  }
  std::int64_t execute_each(const sql::Statement& statement, std::size_t param_count, const sql::RowSource& rows) override {
    return session_.execute_each(statement, param_count, rows);
  }
  void pipeline(std::span<sql::PipelineItem> items) override { session_.pipeline(items); }
  std::int64_t insert_all(const sql::BulkTarget& target, const sql::RowSource& rows, sql::OnConflict on_conflict) override {
    return session_.insert_all(target, rows, on_conflict);
  }
  void run_script(std::string_view name, std::string_view sql) override { session_.run_script(name, sql); }

  // What was noted since a savepoint goes with it.
  void savepoint() override {
    session_.savepoint();
    saved_.push_back(effects_);
  }
  void release_savepoint() override {
    session_.release_savepoint();
    saved_.pop_back();
  }
  void rollback_savepoint() override {
    session_.rollback_savepoint();
    effects_ = std::move(saved_.back());
    saved_.pop_back();
  }

  void after_commit(std::function<void()> action) override { session_.after_commit(std::move(action)); }
  void notify(std::string_view channel) override { session_.notify(channel); }

 private:
  sql::Session& session_;
  Effects effects_;
  std::vector<Effects> saved_;
};

}  // namespace quarry::queue
