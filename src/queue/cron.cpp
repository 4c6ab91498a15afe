#include "quarry/queue/cron.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <chrono>
#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "queue/cron_field.hpp"

namespace quarry::queue {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::size_t text_max = 200;
constexpr int years_until_the_calendar_repeats = 400;
constexpr std::string_view blanks = " \t";

constexpr std::string_view month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                            "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

constexpr CronField minute{"minute", 0, 59};
constexpr CronField hour{"hour", 0, 23};
constexpr CronField day{"day of month", 1, 31};
const CronField month{"month", 1, 12, month_names};
const CronField weekday{"weekday", 0, 7, weekday_names};

constexpr std::pair<std::string_view, std::string_view> shorthands[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  for (auto at = text.find_first_not_of(blanks); at != std::string_view::npos; at = text.find_first_not_of(blanks)) {
    text.remove_prefix(at);
    const auto end = std::min(text.find_first_of(blanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::vector<std::string_view> fields_of(std::string_view text) {
  if (text.size() > text_max) throw_invalid(fmt::format("cron: {} characters: {} are the most", text.size(), text_max));
  auto fields = split(text);
  if (fields.size() == 1 && fields[0].front() == '@') {
    for (const auto& [name, meaning] : shorthands)
      if (fields[0] == name) return split(meaning);
    throw_invalid(fmt::format("cron: '{}' is unknown: there are @hourly, @daily, @weekly, @monthly and @yearly", fields[0]));
  }
  if (fields.size() != 5)
    throw_invalid(fmt::format("cron: '{}' has {} fields: it must have five, minute hour day-of-month month weekday", text,
                              fields.size()));
  return fields;
}

/// The lowest bit from `from` on, or -1.
int next_bit(std::uint64_t bits, int from) {
  if (from > 63) return -1;
  const auto rest = bits >> from;
  return rest == 0 ? -1 : from + std::countr_zero(rest);
}

}  // namespace

Cron Cron::parse(std::string_view text) {
  const auto fields = fields_of(text);
  Cron cron;
  cron.text_ = text;
  cron.minutes_ = parse_cron_field(minute, fields[0]);
  cron.hours_ = parse_cron_field(hour, fields[1]);
  cron.days_ = parse_cron_field(day, fields[2]);
  cron.months_ = parse_cron_field(month, fields[3]);
  cron.weekdays_ = parse_cron_field(weekday, fields[4]);
  if (cron.weekdays_ & 1U << 7) cron.weekdays_ |= 1;
  cron.any_day_ = fields[2].front() == '*';
  cron.any_weekday_ = fields[4].front() == '*';
  if (!cron.next_after({0}))
    throw_invalid(fmt::format("cron: '{}' never comes: no year has such a day in such a month", text));
  return cron;
}

bool Cron::day_matches(unsigned day_of_month, unsigned day_of_week) const {
  const bool by_day = days_ >> day_of_month & 1;
  const bool by_weekday = weekdays_ >> day_of_week & 1;
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<Instant> Cron::next_after(Instant after) const {
  using namespace std::chrono;
  // The year 1 to 9999: what lies outside has no year that the calendar's types can hold.
  constexpr Instant first{-62'135'596'800'000'000}, last{253'402'300'799'999'999};
  if (after >= last) return std::nullopt;
  after = std::max(after, first);
  const auto start = floor<minutes>(sys_time<microseconds>(microseconds(after.us))) + minutes(1);
  auto date = floor<days>(start);
  auto time_of_day = (start - date).count();
  const auto last_year =
      std::min(year_month_day(date).year() + years(years_until_the_calendar_repeats), std::chrono::year(9999));
  while (true) {
    const year_month_day ymd(date);
    if (ymd.year() > last_year || !ymd.year().ok()) return std::nullopt;
    if (!(months_ >> static_cast<unsigned>(ymd.month()) & 1)) {
      date = sys_days((ymd.year() / ymd.month() / 1) + months(1));
      time_of_day = 0;
      continue;
    }
    if (day_matches(static_cast<unsigned>(ymd.day()), std::chrono::weekday(date).c_encoding())) {
      const auto this_hour = static_cast<int>(time_of_day / 60);
      for (int h = next_bit(hours_, this_hour); h >= 0; h = next_bit(hours_, h + 1)) {
        const int m = next_bit(minutes_, h == this_hour ? static_cast<int>(time_of_day % 60) : 0);
        if (m >= 0) return Instant{duration_cast<microseconds>(date.time_since_epoch() + hours(h) + minutes(m)).count()};
      }
    }
    date += days(1);
    time_of_day = 0;
  }
}

}  // namespace quarry::queue
