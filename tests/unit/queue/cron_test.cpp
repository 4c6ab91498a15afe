/// Crontab expressions: what they mean, and what is refused.

#include "quarry/queue/cron.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "quarry/core/error.hpp"

namespace quarry::queue {
namespace {

std::string next(std::string_view cron, std::string_view after) {
  const auto at = Cron::parse(cron).next_after(parse_iso8601(after));
  return at ? to_iso8601(*at).substr(0, 16) : "never";
}

/// The first `count` times after `after`.
std::vector<std::string> series(std::string_view cron, std::string_view after, int count) {
  const auto parsed = Cron::parse(cron);
  std::vector<std::string> times;
  auto at = std::optional(parse_iso8601(after));
  while (count-- > 0 && (at = parsed.next_after(*at))) times.push_back(to_iso8601(*at).substr(0, 16));
  return times;
}

std::string refusal(std::string_view cron) {
  try {
    Cron::parse(cron);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    return error.client_message();
  }
  return "accepted";
}

using Times = std::vector<std::string>;

TEST(Cron, EveryMinute) {
  EXPECT_EQ(next("* * * * *", "2026-03-01T12:00:00Z"), "2026-03-01T12:01");
  EXPECT_EQ(next("* * * * *", "2026-03-01T12:00:59.999999Z"), "2026-03-01T12:01");
  EXPECT_EQ(next("* * * * *", "2026-12-31T23:59:00Z"), "2027-01-01T00:00");
  EXPECT_EQ(next("* * * * *", "1969-12-31T23:58:30Z"), "1969-12-31T23:59") << "before the epoch, too";
}

TEST(Cron, ATimeIsAfterAndNotAt) {
  EXPECT_EQ(next("0 12 * * *", "2026-03-01T12:00:00Z"), "2026-03-02T12:00");
  EXPECT_EQ(next("0 12 * * *", "2026-03-01T11:59:59.999999Z"), "2026-03-01T12:00");
}

TEST(Cron, ListsRangesAndSteps) {
  EXPECT_EQ(series("5,35 * * * *", "2026-03-01T12:00:00Z", 3),
            (Times{"2026-03-01T12:05", "2026-03-01T12:35", "2026-03-01T13:05"}));
  EXPECT_EQ(series("*/20 8-9 * * *", "2026-03-01T12:00:00Z", 7),
            (Times{"2026-03-02T08:00", "2026-03-02T08:20", "2026-03-02T08:40", "2026-03-02T09:00", "2026-03-02T09:20",
                   "2026-03-02T09:40", "2026-03-03T08:00"}));
  EXPECT_EQ(series("10-50/20 0 * * *", "2026-03-01T12:00:00Z", 4),
            (Times{"2026-03-02T00:10", "2026-03-02T00:30", "2026-03-02T00:50", "2026-03-03T00:10"}));
  EXPECT_EQ(series("40/10 0 * * *", "2026-03-01T12:00:00Z", 3),
            (Times{"2026-03-02T00:40", "2026-03-02T00:50", "2026-03-03T00:40"}));
  EXPECT_EQ(series("0 0,12-14,22/1 * * *", "2026-03-01T12:30:00Z", 5),
            (Times{"2026-03-01T13:00", "2026-03-01T14:00", "2026-03-01T22:00", "2026-03-01T23:00", "2026-03-02T00:00"}));
}

TEST(Cron, NamesInEitherCase) {
  EXPECT_EQ(next("0 0 1 JAN *", "2026-03-01T00:00:00Z"), "2027-01-01T00:00");
  EXPECT_EQ(next("0 0 1 jun,dec *", "2026-03-01T00:00:00Z"), "2026-06-01T00:00");
  EXPECT_EQ(next("0 0 * * Mon-Fri", "2026-03-06T00:00:00Z"), "2026-03-09T00:00") << "after a Friday";
  EXPECT_EQ(next("0 0 * * fri-SUN", "2026-03-01T00:00:00Z"), "2026-03-06T00:00") << "Sunday ends a week, too";
}

TEST(Cron, SundayIsBothZeroAndSeven) {
  for (const auto* cron : {"0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "0 0 * * 7-7"})
    EXPECT_EQ(next(cron, "2026-03-02T00:00:00Z"), "2026-03-08T00:00") << cron;
  EXPECT_EQ(next("0 0 * * 6-7", "2026-03-02T00:00:00Z"), "2026-03-07T00:00");
}

TEST(Cron, EitherDayFieldWhenBothAreRestricted) {
  // The 13th, and every Friday.
  EXPECT_EQ(series("0 0 13 * 5", "2026-03-01T00:00:00Z", 4),
            (Times{"2026-03-06T00:00", "2026-03-13T00:00", "2026-03-20T00:00", "2026-03-27T00:00"}));
  EXPECT_EQ(series("0 0 10,11 * 5", "2026-03-07T00:00:00Z", 3),
            (Times{"2026-03-10T00:00", "2026-03-11T00:00", "2026-03-13T00:00"}));
}

TEST(Cron, BothDayFieldsWhenOneBeginsWithAStar) {
  EXPECT_EQ(next("0 0 * * 1", "2026-03-01T00:00:00Z"), "2026-03-02T00:00");
  EXPECT_EQ(next("0 0 15 * *", "2026-03-01T00:00:00Z"), "2026-03-15T00:00");
  // Vixie: `*/2` restricts, and yet begins with a star. Odd days that are Mondays.
  EXPECT_EQ(series("0 0 */2 * 1", "2026-03-01T00:00:00Z", 3),
            (Times{"2026-03-09T00:00", "2026-03-23T00:00", "2026-04-13T00:00"}));
}

TEST(Cron, MonthsAndTheirLengths) {
  EXPECT_EQ(series("0 0 31 * *", "2026-01-31T00:00:00Z", 4),
            (Times{"2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00", "2026-08-31T00:00"}));
  EXPECT_EQ(next("59 23 31 12 *", "2026-12-31T23:59:00Z"), "2027-12-31T23:59");
}

TEST(Cron, LeapYears) {
  EXPECT_EQ(next("0 0 29 2 *", "2026-03-01T00:00:00Z"), "2028-02-29T00:00");
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00") << "2100 is none";
  EXPECT_EQ(next("0 0 29 2 *", "1999-03-01T00:00:00Z"), "2000-02-29T00:00") << "2000 is one";
  EXPECT_EQ(next("30 12 29 FEB */7", "2026-03-01T00:00:00Z"), "2032-02-29T12:30") << "a Sunday";
}

TEST(Cron, Shorthands) {
  const std::pair<const char*, const char*> meanings[] = {{"@hourly", "2026-03-04T06:00"},   {"@daily", "2026-03-05T00:00"},
                                                          {"@midnight", "2026-03-05T00:00"}, {"@weekly", "2026-03-08T00:00"},
                                                          {"@monthly", "2026-04-01T00:00"},  {"@yearly", "2027-01-01T00:00"},
                                                          {"@annually", "2027-01-01T00:00"}};
  for (const auto& [name, time] : meanings) EXPECT_EQ(next(name, "2026-03-04T05:06:07Z"), time) << name;
}

TEST(Cron, BlanksAreFreeAndTheTextIsKept) {
  const auto cron = Cron::parse("  0\t12  *  * *  ");
  EXPECT_EQ(cron.text(), "  0\t12  *  * *  ");
  EXPECT_EQ(cron.next_after(parse_iso8601("2026-03-01T12:00:00Z")), parse_iso8601("2026-03-02T12:00:00Z"));
}

TEST(Cron, TheEndOfTheCalendar) {
  EXPECT_EQ(next("0 0 1 1 *", "9998-12-31T00:00:00Z"), "9999-01-01T00:00");
  EXPECT_EQ(next("0 0 1 1 *", "9999-01-01T00:00:00Z"), "never");
  const auto cron = Cron::parse("* * * * *");
  EXPECT_EQ(cron.next_after({std::numeric_limits<std::int64_t>::max()}), std::nullopt);
  EXPECT_TRUE(cron.next_after({std::numeric_limits<std::int64_t>::min()}));
}

TEST(Cron, WhatNeverComesIsRefused) {
  for (const auto* cron : {"0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 *", "0 0 30-31 FEB *"})
    EXPECT_NE(refusal(cron).find("never comes"), std::string::npos) << cron;
  EXPECT_EQ(refusal("0 0 30 2 1"), "accepted") << "Mondays of February";
}

TEST(Cron, ErrorsNameTheFieldTheValueAndTheRemedy) {
  const std::pair<const char*, const char*> errors[] = {
      {"60 * * * *", "cron: '60' in the minute field: 60 is out of range: it must be from 0 to 59"},
      {"* 24 * * *", "cron: '24' in the hour field: 24 is out of range: it must be from 0 to 23"},
      {"* * 0 * *", "cron: '0' in the day of month field: 0 is out of range: it must be from 1 to 31"},
      {"* * * 13 *", "cron: '13' in the month field: 13 is out of range: it must be from 1 to 12"},
      {"* * * * 8", "cron: '8' in the weekday field: 8 is out of range: it must be from 0 to 7"},
      {"* * * JANUARY *", "cron: 'JANUARY' in the month field: 'JANUARY' is neither a number nor a name like JAN"},
      {"* * * * XYZ", "cron: 'XYZ' in the weekday field: 'XYZ' is neither a number nor a name like SUN"},
      {"MON * * * *", "cron: 'MON' in the minute field: 'MON' is not a number"},
      {"* 22-2 * * *", "cron: '22-2' in the hour field: the range runs backwards; write 22-23,0-2"},
      {"*/0 * * * *", "cron: '*/0' in the minute field: the step after '/' must be a number from 1 on"},
      {"*/ * * * *", "cron: '*/' in the minute field: the step after '/' must be a number from 1 on"},
      {"*/61 * * * *",
       "cron: '*/61' in the minute field: a step of 61 never comes to a second value; a field has no more than 60 values"},
      {"1,,2 * * * *", "cron: '' in the minute field: a value is missing between commas"},
      {"1- * * * *", "cron: '1-' in the minute field: a value is missing"},
      {"-5 * * * *", "cron: '-5' in the minute field: a value is missing"},
      {"@reboot", "cron: '@reboot' is unknown: there are @hourly, @daily, @weekly, @monthly and @yearly"},
      {"", "cron: '' has 0 fields: it must have five, minute hour day-of-month month weekday"},
      {"0 0 * * * *", "cron: '0 0 * * * *' has 6 fields: it must have five, minute hour day-of-month month weekday"},
  };
  for (const auto& [cron, message] : errors) EXPECT_EQ(refusal(cron), message);
}

TEST(Cron, RefusesWhatLooksNearlyRight) {
  for (const auto* cron :
       {"+5 * * * *", "0x5 * * * *", "5.0 * * * *", "* * L * *", "* * ? * *", "* * * * 1#2", "1/2/3 * * * *",
        "1-2-3 * * * *", "99999999999999999999 * * * *", "*-5 * * * *", "** * * * *", "*5 * * * *", "\n* * * * *"})
    EXPECT_NE(refusal(cron), "accepted") << cron;
  EXPECT_NE(refusal(std::string(201, ' ')), "accepted");
}

TEST(Cron, AgreesWithALookAtEveryMinute) {
  // The slow and obvious way: does this minute match? Compared over five weeks that hold a leap day.
  struct Case {
    const char* cron;
    bool (*matches)(int minute, int hour, unsigned day, unsigned month, unsigned weekday);
  };
  const Case cases[] = {
      {"*/7 3-5 * * *", [](int m, int h, unsigned, unsigned, unsigned) { return m % 7 == 0 && h >= 3 && h <= 5; }},
      {"0 0 29 2 1",
       [](int m, int h, unsigned d, unsigned mo, unsigned w) { return m == 0 && h == 0 && mo == 2 && (d == 29 || w == 1); }},
      {"15 */6 1-7 * SAT",
       [](int m, int h, unsigned d, unsigned, unsigned w) { return m == 15 && h % 6 == 0 && (d <= 7 || w == 6); }},
      {"1 1 */5 * 2-4",
       [](int m, int h, unsigned d, unsigned, unsigned w) { return m == 1 && h == 1 && d % 5 == 1 && w >= 2 && w <= 4; }},
  };
  using namespace std::chrono;
  const sys_days from = 2028y / 2 / 10, to = 2028y / 3 / 16;
  for (const auto& one : cases) {
    Times expected;
    for (auto day = from; day < to; day += days(1)) {
      const year_month_day date(day);
      for (int minute = 0; minute < 1440; ++minute)
        if (one.matches(minute % 60, minute / 60, unsigned(date.day()), unsigned(date.month()), weekday(day).c_encoding()))
          expected.push_back(
              to_iso8601({duration_cast<microseconds>((day + minutes(minute)).time_since_epoch()).count()}).substr(0, 16));
    }
    EXPECT_EQ(series(one.cron, "2028-02-09T23:59:59Z", static_cast<int>(expected.size())), expected) << one.cron;
  }
}

}  // namespace
}  // namespace quarry::queue
