#pragma once
/// Days and months in UTC.

#include <chrono>

#include "quarry/core/time.hpp"

namespace quarry::ops::upkeep {

inline std::chrono::sys_days day_of(Instant at) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>{std::chrono::microseconds(at.us)});
}

inline Instant start_of(std::chrono::sys_days day) {
  return {std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count()};
}

/// Of the month that lies `months` after the one of `at`.
inline Instant start_of_month(Instant at, int months) {
  const std::chrono::year_month_day day(day_of(at));
  return start_of(std::chrono::sys_days((day.year() / day.month() + std::chrono::months(months)) / 1));
}

}  // namespace quarry::ops::upkeep
