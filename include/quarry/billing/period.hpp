#pragma once
/// Periods: months that begin on a day of one's own.
///
/// A period is [start, end) in UTC and begins at midnight of the anchor day, or of the month's last day where the month is
/// shorter: anchored on the 31st, February's begins on the 28th or 29th and March's on the 31st again. Every moment lies in
/// exactly one.

#include <boost/describe.hpp>

#include "quarry/core/time.hpp"

namespace quarry::billing {

struct Period {
  Instant start;
  Instant end;  ///< the first moment of the next one

  /// Whether `at` lies in it.
  bool contains(Instant at) const noexcept { return start <= at && at < end; }
  friend bool operator==(const Period&, const Period&) = default;
};
BOOST_DESCRIBE_STRUCT(Period, (), (start, end))

/// The period that `at` lies in. Throws `invalid` for an anchor other than 1 to 31.
Period period_at(int anchor_day, Instant at);

/// The day of the month, in UTC: 1 to 31.
int day_of_month(Instant at) noexcept;

}  // namespace quarry::billing
