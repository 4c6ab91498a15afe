#pragma once
/// Time as the whole of Quarry sees it: UTC, whole microseconds since 1970-01-01, in an int64.
///
/// The same number is an `INTEGER` in SQLite and a `timestamptz` in PostgreSQL (whose binary form counts from 2000-01-01;
/// the driver shifts it). Nothing reads the system clock but `SystemClock`; everything else is handed a `Clock`, so that a
/// test can own time.
///
/// Errors: `invalid` for a text that is no moment. Thread safety: values, and clocks from any thread.

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace quarry {

/// A moment. Differences are `std::chrono::microseconds`.
struct Instant {
  std::int64_t us = 0;  ///< microseconds since the Unix epoch, UTC

  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant at, std::chrono::microseconds d) { return {at.us + d.count()}; }
  friend constexpr Instant operator-(Instant at, std::chrono::microseconds d) { return {at.us - d.count()}; }
  friend constexpr std::chrono::microseconds operator-(Instant a, Instant b) {
    return std::chrono::microseconds{a.us - b.us};
  }
};

/// `2026-03-01T12:00:00.000000Z`, always 27 characters for the years 0 to 9999.
std::string to_iso8601(Instant at);

/// Reads what `to_iso8601` writes, with or without a fraction; the zone is `Z` or `+hh:mm`. Throws `invalid`.
Instant parse_iso8601(std::string_view text);

/// Source of the current time. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The moment.
  virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

/// A clock that stands still until it is told to move. For tests and for replaying.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start) : us_(start.us) {}
  Instant now() const override { return {us_.load(std::memory_order_relaxed)}; }
  /// Moves it, by any number of microseconds.
  void advance(std::chrono::microseconds by) { us_.fetch_add(by.count(), std::memory_order_relaxed); }
  /// Moves it to `at`.
  void set(Instant at) { us_.store(at.us, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> us_;
};

}  // namespace quarry
