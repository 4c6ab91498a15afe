#pragma once
/// The generic cell rate algorithm (ITU-T I.371; as a limiter: Brandur Leach, "Rate Limiting, Cells, and GCRA", 2015): one
/// moment is the whole state of a limit. `tat`, the theoretical arrival time, says until when what was admitted is paid for.
/// With one request each T and a burst of b, a request of cost n at `now` is admitted when
///
///     max(tat, now) + n T  <=  now + b T,        and tat becomes the left side.
///
/// **What holds**: in any span of time w, at most b + w / T are admitted, whoever asks and in whatever order; a request is
/// denied only where it would pass that bound; traffic slower than one each T is never denied. What is denied changes
/// nothing.
///
/// Pure functions; time is handed in, in microseconds. The tables and their statements are in `limits.hpp`.
///
/// Errors: `invalid`. Thread safety: pure functions.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

#include "quarry/core/time.hpp"

namespace quarry::limits {

/// `requests` in each `period`, of which `burst` may come at once.
struct Limit {
  std::int64_t requests = 100;
  std::chrono::microseconds period{std::chrono::minutes(15)};
  std::int64_t burst = 0;  ///< 0: as many as `requests`

  /// What `burst` stands for.
  std::int64_t burst_or_all() const noexcept { return burst == 0 ? requests : burst; }
  /// T, rounded up to a microsecond: a limit that does not divide its period admits a little less, never more.
  std::chrono::microseconds interval() const noexcept;
};

/// Throws `invalid`: `requests` is 1 to a million, `period` a microsecond per request to a year, `burst` 0 to a million and
/// no more than come back in 100 years, so that no sum of moments overflows.
void check(const Limit& limit);

/// What became of a request.
struct Decision {
  bool admitted = false;
  std::int64_t limit = 0;      ///< the burst
  std::int64_t remaining = 0;  ///< that could be asked for now
  /// When the same request would be admitted, if nobody else asks meanwhile: zero when it was.
  std::chrono::microseconds retry_after{0};
  /// When the limit will be as if nobody had asked.
  std::chrono::microseconds reset_after{0};
};

/// The moments that the statements compare and write.
struct Arrival {
  Instant now;
  Instant tat_if_idle;  ///< now + n T
  Instant latest;       ///< now + b T
};
/// Throws `invalid` for a cost that is negative or beyond the burst: it could never be admitted.
Arrival arrival(const Limit& limit, std::int64_t cost, Instant now);

/// What is said of a request that was admitted and left `tat`.
Decision admitted(const Limit& limit, Instant now, Instant tat);
/// Of one that was denied, or only asked for (`cost` 0), at `tat`; nothing when nobody has asked before.
Decision not_taken(const Limit& limit, std::int64_t cost, Instant now, std::optional<Instant> tat);

}  // namespace quarry::limits
