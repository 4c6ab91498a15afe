#include "quarry/billing/period.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

using billing::Period;
using billing::period_at;

Period period(const char* start, const char* end) {
  return {parse_iso8601(std::string(start) + "T00:00:00Z"), parse_iso8601(std::string(end) + "T00:00:00Z")};
}

TEST(Period, BeginsAtMidnightOfTheAnchorDay) {
  const auto march = period("2026-03-15", "2026-04-15");
  EXPECT_EQ(period_at(15, parse_iso8601("2026-03-15T00:00:00Z")), march);
  EXPECT_EQ(period_at(15, parse_iso8601("2026-04-14T23:59:59.999999Z")), march);
  EXPECT_EQ(period_at(15, parse_iso8601("2026-04-15T00:00:00Z")), period("2026-04-15", "2026-05-15"));
  EXPECT_EQ(period_at(15, parse_iso8601("2026-03-14T23:59:59Z")), period("2026-02-15", "2026-03-15"));
}

TEST(Period, TheLastDayStandsInForDaysThatAMonthHasNot) {
  EXPECT_EQ(period_at(31, parse_iso8601("2026-02-28T12:00:00Z")), period("2026-02-28", "2026-03-31"));
  EXPECT_EQ(period_at(31, parse_iso8601("2026-02-27T12:00:00Z")), period("2026-01-31", "2026-02-28"));
  EXPECT_EQ(period_at(31, parse_iso8601("2026-04-30T00:00:00Z")), period("2026-04-30", "2026-05-31"));
  EXPECT_EQ(period_at(30, parse_iso8601("2026-03-29T00:00:00Z")), period("2026-02-28", "2026-03-30"));
}

TEST(Period, LeapYears) {
  EXPECT_EQ(period_at(31, parse_iso8601("2028-02-29T00:00:00Z")), period("2028-02-29", "2028-03-31"));
  EXPECT_EQ(period_at(29, parse_iso8601("2028-02-29T08:00:00Z")), period("2028-02-29", "2028-03-29"));
  EXPECT_EQ(period_at(29, parse_iso8601("2027-02-28T08:00:00Z")), period("2027-02-28", "2027-03-29"));
  EXPECT_EQ(period_at(29, parse_iso8601("2100-02-28T08:00:00Z")), period("2100-02-28", "2100-03-29")) << "not a leap year";
}

TEST(Period, YearsEndInTheMiddleOfOne) {
  EXPECT_EQ(period_at(20, parse_iso8601("2026-01-05T00:00:00Z")), period("2025-12-20", "2026-01-20"));
  EXPECT_EQ(period_at(1, parse_iso8601("2026-12-31T23:59:59Z")), period("2026-12-01", "2027-01-01"));
}

/// Every moment of eight years lies in exactly one period, and periods follow each other without a gap, for every anchor.
TEST(Period, CoverAllTimeOnce) {
  for (int anchor = 1; anchor <= 31; ++anchor) {
    auto at = period_at(anchor, parse_iso8601("2024-01-01T00:00:00Z"));
    const auto until = parse_iso8601("2032-01-01T00:00:00Z");
    while (at.start < until) {
      const auto next = period_at(anchor, at.end);
      ASSERT_EQ(next.start, at.end) << anchor << ' ' << to_iso8601(at.end);
      ASSERT_EQ(period_at(anchor, at.end - std::chrono::microseconds(1)), at);
      ASSERT_EQ(period_at(anchor, at.start), at);
      at = next;
    }
  }
}

TEST(Period, AnchorsAreDays) {
  EXPECT_THROW(period_at(0, {}), Error);
  EXPECT_THROW(period_at(32, {}), Error);
  EXPECT_EQ(billing::day_of_month(parse_iso8601("2026-03-31T23:59:59Z")), 31);
  EXPECT_EQ(billing::day_of_month(parse_iso8601("1969-12-31T23:59:59Z")), 31);
}

}  // namespace
}  // namespace quarry::test
