#pragma once
/// When work comes back: crontab(5) expressions, in UTC. Pure; knows no clock.
///
///     minute  hour  day of month  month  weekday            30 4 1,15 * *      at 04:30 on the 1st and the 15th
///     0-59    0-23  1-31          1-12   0-7 (0, 7: Sunday)  */10 8-18 * * MON-FRI
///
/// A field is a list of `*`, values and ranges, each with an optional step: `5`, `1-5`, `*/15`, `10-50/20`, `20/5` (from 20
/// on). Months and weekdays have names of three letters in either case. `@hourly`, `@daily` (`@midnight`), `@weekly`,
/// `@monthly`, `@yearly` (`@annually`) are short for the obvious.
///
/// Days follow Vixie cron: when both day fields are restricted, a day that matches *either* matches; a field that begins
/// with `*` is not restricted, and then both must match. UTC has no summer time, so that nothing is skipped or repeated.
///
/// Errors: `invalid`, with the field, the value and the remedy. A schedule that can never come (`0 0 30 2 *`) is refused
/// too: the Gregorian calendar repeats every 400 years, and that far is looked. Thread safety: immutable once made.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/time.hpp"

namespace quarry::queue {

class Cron {
 public:
  /// At most 200 characters.
  static Cron parse(std::string_view text);

  /// The first moment after `after`, to the minute. Nothing beyond the year 9999.
  std::optional<Instant> next_after(Instant after) const;

  /// What was parsed.
  const std::string& text() const noexcept { return text_; }

 private:
  Cron() = default;
  bool day_matches(unsigned day_of_month, unsigned weekday) const;

  std::string text_;
  std::uint64_t minutes_ = 0;  ///< one bit for each value
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;
  bool any_day_ = false;  ///< the field begins with `*`
  bool any_weekday_ = false;
};

}  // namespace quarry::queue
