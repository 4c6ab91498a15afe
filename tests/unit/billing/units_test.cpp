#include "quarry/billing/units.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace quarry::test {
namespace {

using billing::cost_of;
using billing::micro_per_unit;
using std::chrono::microseconds;
using std::chrono::minutes;

TEST(Units, AMinuteIsAUnitRoundedUpAndAtLeastOne) {
  EXPECT_EQ(cost_of(microseconds(0)), 1 * micro_per_unit);
  EXPECT_EQ(cost_of(microseconds(1)), 1 * micro_per_unit);
  EXPECT_EQ(cost_of(minutes(1)), 1 * micro_per_unit);
  EXPECT_EQ(cost_of(minutes(1) + microseconds(1)), 2 * micro_per_unit);
  EXPECT_EQ(cost_of(minutes(90)), 90 * micro_per_unit);
  EXPECT_EQ(cost_of(microseconds(-5)), 1 * micro_per_unit) << "a clock that was set back";
  EXPECT_GT(cost_of(microseconds(std::numeric_limits<std::int64_t>::max())), 0);
}

TEST(Units, AreWrittenAsPeopleReadThem) {
  EXPECT_EQ(billing::units_text(0), "0");
  EXPECT_EQ(billing::units_text(100 * micro_per_unit), "100");
  EXPECT_EQ(billing::units_text(micro_per_unit / 2), "0.5");
  EXPECT_EQ(billing::units_text(-micro_per_unit / 4), "-0.25");
  EXPECT_EQ(billing::units_text(-3 * micro_per_unit), "-3");
  EXPECT_EQ(billing::units_text(1), "0.000001");
}

}  // namespace
}  // namespace quarry::test
