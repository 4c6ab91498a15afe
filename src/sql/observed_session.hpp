#pragma once
/// A session like the one it stands before, which tells an observer of every statement. Not thread-safe.

#include <deque>
#include <exception>

#include "quarry/sql/observer.hpp"
#include "quarry/sql/session.hpp"

namespace quarry::sql {

/// Rows with a stopwatch. Reports when it is closed.
class ObservedCursor final : public Cursor {
 public:
  ObservedCursor(Observer& observer, Cursor& cursor, std::string_view name, std::chrono::nanoseconds started)
      : observer_(&observer), cursor_(&cursor), name_(name), spent_(started) {}

  bool is_open() const noexcept { return cursor_ != nullptr; }

  bool step() override;
  void close() noexcept override;
  std::int64_t affected_rows() const override { return cursor_->affected_rows(); }
  int column_count() const override { return cursor_->column_count(); }
  std::string_view column_name(int column) const override { return cursor_->column_name(column); }
  void check_column(int column, Kind kind) const override { cursor_->check_column(column, kind); }
  bool is_null(int column) const override { return cursor_->is_null(column); }
  bool get_boolean(int column) const override { return cursor_->get_boolean(column); }
  std::int64_t get_int64(int column) const override { return cursor_->get_int64(column); }
  double get_real(int column) const override { return cursor_->get_real(column); }
  std::string_view get_text(int column) const override { return cursor_->get_text(column); }
  std::span<const std::byte> get_bytes(int column) const override { return cursor_->get_bytes(column); }
  Uuid get_uuid(int column) const override { return cursor_->get_uuid(column); }
  Instant get_instant(int column) const override { return cursor_->get_instant(column); }
  std::vector<std::int64_t> get_int64_array(int column) const override { return cursor_->get_int64_array(column); }
  std::vector<std::string> get_text_array(int column) const override { return cursor_->get_text_array(column); }
  RowMap& row_map() override { return cursor_->row_map(); }

 private:
  Observer* observer_;
  Cursor* cursor_;
  std::string_view name_;
  std::chrono::nanoseconds spent_;
  bool failed_ = false;
};

class ObservedSession final : public Session {
 public:
  ObservedSession(Session& session, Observer& observer) : session_(session), observer_(observer) {
    Session::act_as(session.actor());
  }

  Engine engine() const noexcept override { return session_.engine(); }
  Instant now() const override { return session_.now(); }
  Random& random() const noexcept override { return session_.random(); }
  void act_as(const Actor& actor) override {
    session_.act_as(actor);
    Session::act_as(actor);
  }
  Cursor& execute(const Statement& statement, std::span<const Param> params) override;
  Cursor& stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) override;
  std::int64_t execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) override;
  void pipeline(std::span<PipelineItem> items) override;
  std::int64_t insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) override;
  void run_script(std::string_view name, std::string_view sql) override;
  void savepoint() override { session_.savepoint(); }
  void release_savepoint() override { session_.release_savepoint(); }
  void rollback_savepoint() override { session_.rollback_savepoint(); }
  void after_commit(std::function<void()> action) override { session_.after_commit(std::move(action)); }
  void notify(std::string_view channel) override { session_.notify(channel); }

 private:
  template <class F>
  auto timed(std::string_view name, F&& run);
  Cursor& watch(Cursor& cursor, std::string_view name, std::chrono::nanoseconds started);

  Session& session_;
  Observer& observer_;
  std::deque<ObservedCursor> cursors_;  ///< reused; a deque keeps their addresses
};

}  // namespace quarry::sql
