#pragma once
/// Whoever wants to know which statements run, how often and how long: metrics and the slow-query log.
///
///     db.backend().observe(std::make_shared<ops::QueryWatch>());
///
/// An observer learns names and times. Neither parameters nor rows ever reach it, so that nothing it writes can hold them.
///
/// Without an observer nothing is measured and nothing is in the way: the hot path tests one pointer per transaction. With
/// one, every statement costs two looks at the clock and one per row.
///
/// Errors: none; an observer keeps its own to itself.

#include <chrono>
#include <string_view>

namespace quarry::sql {

/// A statement that has ended.
struct StatementReport {
  std::string_view name;                 ///< of the named query, or the table of a bulk insert
  std::chrono::nanoseconds duration{0};  ///< inside of the engine; what the caller did between two rows is not in it
  bool failed = false;
};

/// A closure that has ended, with its wait for a connection, all its tries and its commit.
struct TransactionReport {
  bool is_write = false;
  std::chrono::nanoseconds duration{0};
  bool failed = false;
};

/// Called on the threads that run the statements, several at once: must be thread-safe, quick, and must not use the
/// database. A closure that was tried again has reported its statements each time.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Called when a statement has ended, well or not.
  virtual void statement_ended(const StatementReport& report) noexcept = 0;
  /// Called when a closure has ended, well or not.
  virtual void transaction_ended(const TransactionReport& report) noexcept = 0;
};

}  // namespace quarry::sql
