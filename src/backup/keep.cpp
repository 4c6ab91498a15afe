/// Retention as a function of dates.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>

#include "quarry/backup/retention.hpp"
#include "quarry/core/error.hpp"

namespace quarry::backup {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr int count_max = 10'000;

[[noreturn]] void bad_keep(std::string_view text) {
  throw_invalid(fmt::format(
      "'{}' says not what to keep: 7d,4w,12m keeps the last of 7 days, 4 weeks and 12 months; h and y are hours and years",
      text));
}

int* period_of(Keep& keep, char unit) {
  switch (unit) {
    case 'h':
      return &keep.hours;
    case 'd':
      return &keep.days;
    case 'w':
      return &keep.weeks;
    case 'm':
      return &keep.months;
    case 'y':
      return &keep.years;
    default:
      return nullptr;
  }
}

/// A number for the period that a moment lies in.
using PeriodOf = std::function<std::int64_t(Instant)>;

sys_days day_of(Instant at) {
  return std::chrono::floor<days>(std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(at.us)));
}

std::int64_t hour_of(Instant at) { return at.us / 3'600'000'000; }
std::int64_t day_number_of(Instant at) { return day_of(at).time_since_epoch().count(); }
std::int64_t week_of(Instant at) { return (day_number_of(at) + 3) / 7; }  // 1970-01-01 was a Thursday
std::int64_t month_of(Instant at) {
  const std::chrono::year_month_day date(day_of(at));
  return std::int64_t{int{date.year()}} * 12 + static_cast<std::int64_t>(unsigned{date.month()});
}
std::int64_t year_of(Instant at) { return int{std::chrono::year_month_day(day_of(at)).year()}; }

bool is_good(const Summary& backup) { return backup.verified_at && !backup.failure; }
bool has_its_bodies(const Summary& backup) { return backup.bodies_missing == 0 && backup.bodies_left_out == 0; }

/// Whoever has `newer` needs `older` no more, but for its date.
bool covers(const Summary& newer, const Summary& older) {
  return is_good(newer) && newer.database && older.database == newer.database &&
         (has_its_bodies(newer) || older.bodies == 0);
}

/// `counts` tells which of them can be the newest of a period.
void keep_newest_of(const std::vector<Summary>& backups, int periods, const PeriodOf& period, bool (*counts)(const Summary&),
                    std::set<std::string>& kept) {
  std::int64_t current = -1;
  for (auto it = backups.rbegin(); it != backups.rend() && periods > 0; ++it) {
    if (!is_good(*it) || !counts(*it) || period(it->created_at) == current) continue;
    current = period(it->created_at);
    kept.insert(it->name);
    --periods;
  }
}

void keep_by(const std::vector<Summary>& backups, const Keep& keep, bool (*counts)(const Summary&),
             std::set<std::string>& kept) {
  keep_newest_of(backups, keep.hours, hour_of, counts, kept);
  keep_newest_of(backups, keep.days, day_number_of, counts, kept);
  keep_newest_of(backups, keep.weeks, week_of, counts, kept);
  keep_newest_of(backups, keep.months, month_of, counts, kept);
  keep_newest_of(backups, keep.years, year_of, counts, kept);
}

}  // namespace

Keep parse_keep(std::string_view text) {
  Keep keep;
  auto rest = text;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto word = rest.substr(0, comma);
    if (comma + 1 == rest.size()) bad_keep(text);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (word.size() < 2 || word.size() > 6) bad_keep(text);
    int count = 0;
    for (const char digit : word.substr(0, word.size() - 1)) {
      if (digit < '0' || digit > '9') bad_keep(text);
      count = count * 10 + (digit - '0');
    }
    int* period = period_of(keep, word.back());
    if (period == nullptr || *period != 0 || count < 1 || count > count_max) bad_keep(text);
    *period = count;
  }
  if (text.empty()) bad_keep(text);
  return keep;
}

std::vector<std::string> expendable(const std::vector<Summary>& backups, const Keep& keep) {
  std::set<std::string> kept;
  // Of a day on which the last one lacks bodies the last one that has them stays, too.
  keep_by(
      backups, keep, [](const Summary&) { return true; }, kept);
  keep_by(
      backups, keep, [](const Summary& backup) { return backup.bodies > 0 && has_its_bodies(backup); }, kept);
  std::vector<std::string> going;
  for (auto it = backups.begin(); it != backups.end(); ++it) {
    const auto covered = std::any_of(it + 1, backups.end(), [&](const Summary& newer) { return covers(newer, *it); });
    if (covered && !kept.contains(it->name)) going.push_back(it->name);
  }
  return going;
}

}  // namespace quarry::backup
