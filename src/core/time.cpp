#include "quarry/core/time.hpp"

#include <fmt/format.h>

#include <charconv>

#include "quarry/core/error.hpp"

namespace quarry {
namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

[[noreturn]] void bad_time(std::string_view text) {
  throw_invalid(fmt::format("'{}' is not a time: write it as 2026-03-01T12:00:00Z", text));
}

int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) bad_time(text);
  int value = 0;
  const auto* begin = text.data() + at;
  const auto result = std::from_chars(begin, begin + count, value);
  if (result.ec != std::errc{} || result.ptr != begin + count || *begin == '-') bad_time(text);
  return value;
}

void expect(std::string_view text, std::size_t at, char wanted) {
  if (at >= text.size() || text[at] != wanted) bad_time(text);
}

}  // namespace

std::string to_iso8601(Instant at) {
  const auto since = microseconds{at.us};
  const auto day = std::chrono::floor<days>(since);
  const auto ymd = year_month_day{sys_days{day}};
  const auto rest = (since - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), rest / 3'600'000'000,
                     rest / 60'000'000 % 60, rest / 1'000'000 % 60, rest % 1'000'000);
}

Instant parse_iso8601(std::string_view text) {
  const auto ymd =
      year_month_day{std::chrono::year{digits(text, 0, 4)}, std::chrono::month{static_cast<unsigned>(digits(text, 5, 2))},
                     std::chrono::day{static_cast<unsigned>(digits(text, 8, 2))}};
  expect(text, 4, '-');
  expect(text, 7, '-');
  expect(text, 10, 'T');
  expect(text, 13, ':');
  expect(text, 16, ':');
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!ymd.ok() || hour > 23 || minute > 59 || second > 59) bad_time(text);

  std::size_t at = 19;
  std::int64_t fraction_us = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t scale = 100'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      fraction_us += (text[at] - '0') * scale;
  }
  std::int64_t offset_minutes = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    expect(text, at + 3, ':');
    offset_minutes = digits(text, at + 1, 2) * 60 + digits(text, at + 4, 2);
    if (text[at] == '-') offset_minutes = -offset_minutes;
    at += 6;
  } else {
    expect(text, at, 'Z');
    ++at;
  }
  if (at != text.size()) bad_time(text);
  const auto day_us = microseconds{sys_days{ymd}.time_since_epoch()}.count();
  return {day_us + (hour * 3600LL + minute * 60LL + second - offset_minutes * 60LL) * 1'000'000 + fraction_us};
}

Instant SystemClock::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<microseconds>(since).count()};
}

}  // namespace quarry
