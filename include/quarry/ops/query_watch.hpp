#pragma once
/// Counts statements and closures by name and time, and logs the slow ones.
///
///     auto watch = std::make_shared<ops::QueryWatch>(QueryWatchOptions{.slow = 500ms});
///     db.backend().observe(watch);
///     for (const auto& query : watch->queries()) ...        // those that took most first
///
/// A slow statement gives one line: `slow query query=queue.claim duration_ms=1204`. Its name and its time, never its
/// parameters or rows. A statement that is slow all the time gives one line a second, which says how many were left out.
///
/// The figures are of this handle since it is watched. Memory is bounded: beyond `names_max` names, statements are counted
/// together as `(other)`. Errors: none but memory. Thread safety: all functions.

#include <array>
#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/observer.hpp"

namespace quarry::ops {

struct QueryFigures {
  std::string name;
  std::int64_t runs = 0;
  std::int64_t failures = 0;  ///< of them
  std::int64_t total_us = 0;
  std::int64_t longest_us = 0;
};
BOOST_DESCRIBE_STRUCT(QueryFigures, (), (name, runs, failures, total_us, longest_us))

/// Closures of one kind, by how long they took.
struct TransactionFigures {
  /// Upper ends in microseconds; one more bucket holds what took longer.
  static constexpr std::array<std::int64_t, 12> ends_us{100,     300,     1'000,     3'000,     10'000,     30'000,
                                                        100'000, 300'000, 1'000'000, 3'000'000, 10'000'000, 30'000'000};
  std::array<std::int64_t, ends_us.size() + 1> buckets{};  ///< how many ended in each, not counting those before
  std::int64_t runs = 0;
  std::int64_t failures = 0;
  std::int64_t total_us = 0;
};

struct SlowQuery {
  std::string_view name;
  std::chrono::microseconds duration{0};
  bool failed = false;
  std::int64_t left_out = 0;  ///< slow runs of the same statement that gave no line since the last one
};

struct QueryWatchOptions {
  std::chrono::microseconds slow{0};       ///< what takes at least this long is logged; 0: nothing is
  std::chrono::milliseconds quiet{1'000};  ///< between two lines about the same statement
  std::size_t names_max = 200;
  /// Told of slow statements instead of the log. Must not throw.
  std::function<void(const SlowQuery&)> tell{};
  /// The clock that `quiet` goes by; the steady one unless a test has its own.
  std::function<std::chrono::steady_clock::time_point()> now{};
};

class QueryWatch final : public sql::Observer {
 public:
  explicit QueryWatch(QueryWatchOptions options = {});

  void statement_ended(const sql::StatementReport& report) noexcept override;
  void transaction_ended(const sql::TransactionReport& report) noexcept override;

  /// Those that took most in all first.
  std::vector<QueryFigures> queries() const;
  /// Closures of `Database::read`.
  TransactionFigures reads() const;
  /// Closures of `Database::write`.
  TransactionFigures writes() const;

 private:
  struct Entry {
    QueryFigures figures;
    std::optional<std::chrono::steady_clock::time_point> told_at{};
    std::int64_t left_out = 0;
  };
  Entry& entry_of(std::string_view name);

  const QueryWatchOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;  // guarded by mutex_, as all below
  TransactionFigures reads_;
  TransactionFigures writes_;
};

}  // namespace quarry::ops
