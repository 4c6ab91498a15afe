#include "sql/observed_session.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"

namespace quarry::sql {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Reports what was thrown past it.
class FailureReport {
 public:
  FailureReport(Observer& observer, std::string_view name) : observer_(observer), name_(name) {}
  ~FailureReport() {
    if (std::uncaught_exceptions() > thrown_)
      observer_.statement_ended({.name = name_, .duration = spent(), .failed = true});
  }
  FailureReport(const FailureReport&) = delete;
  FailureReport& operator=(const FailureReport&) = delete;

  std::chrono::nanoseconds spent() const { return SteadyClock::now() - begin_; }

 private:
  Observer& observer_;
  std::string_view name_;
  SteadyClock::time_point begin_ = SteadyClock::now();
  int thrown_ = std::uncaught_exceptions();
};

}  // namespace

bool ObservedCursor::step() {
  const auto begin = SteadyClock::now();
  try {
    const bool row = cursor_->step();
    spent_ += SteadyClock::now() - begin;
    return row;
  } catch (...) {
    spent_ += SteadyClock::now() - begin;
    failed_ = true;
    throw;
  }
}

void ObservedCursor::close() noexcept {
  cursor_->close();
  cursor_ = nullptr;
  observer_->statement_ended({.name = name_, .duration = spent_, .failed = failed_});
}

template <class F>
auto ObservedSession::timed(std::string_view name, F&& run) {
  const FailureReport report(observer_, name);
  auto result = run();
  observer_.statement_ended({.name = name, .duration = report.spent()});
  return result;
}

Cursor& ObservedSession::watch(Cursor& cursor, std::string_view name, std::chrono::nanoseconds started) {
  const ObservedCursor watched(observer_, cursor, name, started);
  const auto idle = std::find_if(cursors_.begin(), cursors_.end(), [](const auto& c) { return !c.is_open(); });
  if (idle == cursors_.end()) return cursors_.emplace_back(watched);
  return *idle = watched;
}

Cursor& ObservedSession::execute(const Statement& statement, std::span<const Param> params) {
  const FailureReport report(observer_, statement.name);
  auto& cursor = session_.execute(statement, params);
  return watch(cursor, statement.name, report.spent());
}

Cursor& ObservedSession::stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) {
  const FailureReport report(observer_, statement.name);
  auto& cursor = session_.stream(statement, params, chunk_rows);
  return watch(cursor, statement.name, report.spent());
}

std::int64_t ObservedSession::execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) {
  return timed(statement.name, [&] { return session_.execute_each(statement, param_count, rows); });
}

void ObservedSession::pipeline(std::span<PipelineItem> items) {
  if (session_.engine() == Engine::sqlite) {
    // There a pipeline is a plain sequence, so each statement can be told apart.
    for (auto& item : items) {
      try {
        const OpenCursor cursor(execute(*item.statement, item.params));
        item.consume(*cursor);
      } catch (Error& error) {
        error.add_query(item.statement->name);
        throw;
      }
    }
    return;
  }
  // One round trip for all: it is told under the name of the first.
  const auto name = items.empty() ? std::string_view() : items.front().statement->name;
  timed(name, [&] {
    session_.pipeline(items);
    return true;
  });
}

std::int64_t ObservedSession::insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) {
  return timed(target.name, [&] { return session_.insert_all(target, rows, on_conflict); });
}

void ObservedSession::run_script(std::string_view name, std::string_view sql) {
  timed(name, [&] {
    session_.run_script(name, sql);
    return true;
  });
}

}  // namespace quarry::sql
