#include "quarry/billing/period.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "quarry/core/error.hpp"

namespace quarry::billing {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month;

sys_days day_of(Instant at) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(at.us)));
}

/// Midnight of the anchor day, or of the month's last day.
Instant begin_in(year_month month, unsigned anchor_day) {
  const std::chrono::year_month_day last(month / std::chrono::last);
  const sys_days day = month / std::chrono::day(std::min(anchor_day, unsigned{last.day()}));
  return {std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count()};
}

}  // namespace

Period period_at(int anchor_day, Instant at) {
  if (anchor_day < 1 || anchor_day > 31) throw_invalid(fmt::format("anchor day {}: it must be from 1 to 31", anchor_day));
  const auto anchor = static_cast<unsigned>(anchor_day);
  const std::chrono::year_month_day date(day_of(at));
  const year_month month = date.year() / date.month();
  const auto here = begin_in(month, anchor);
  if (at >= here) return {here, begin_in(month + std::chrono::months(1), anchor)};
  return {begin_in(month - std::chrono::months(1), anchor), here};
}

int day_of_month(Instant at) noexcept { return static_cast<int>(unsigned{std::chrono::year_month_day(day_of(at)).day()}); }

}  // namespace quarry::billing
