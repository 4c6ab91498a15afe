#include "quarry/billing/analytics.hpp"

#include "conformance/billing/metering_test.hpp"

namespace quarry::test {
namespace {

class BillingAnalytics : public MeteringTest {
 protected:
  std::int64_t roll_up() {
    return db().write([](Write& tx) { return billing::roll_up(tx, tx.now()); });
  }
  std::vector<billing::DailyUsage> days(const billing::DailyFilter& filter = {}) {
    return db().read([&](Read& tx) { return billing::daily_usage(tx, filter); });
  }
  void run_one(UserId user, int minutes) {
    add(user, 1);
    const auto got = claim();
    ASSERT_EQ(got.size(), 1U);
    clock().advance(std::chrono::minutes(minutes));
    finish(got[0]);
  }
};
QUARRY_BOTH_ENGINES(BillingAnalytics);

TEST_P(BillingAnalytics, ADayIsRolledUpAsOftenAsOneLikes) {
  const auto bob = make_user("bob");
  run_one(ada_, 3);
  run_one(ada_, 1);
  add(bob, 1);
  fail(claim().at(0), true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(roll_up(), 2);
  const auto found = days({.user_id = ada_});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].date, "2026-03-01");
  EXPECT_EQ(found[0].tasks_executed, 2);
  EXPECT_EQ(found[0].compute_units_used, 4 * unit);
  EXPECT_EQ(days({.user_id = bob}).at(0).tasks_executed, 1) << "it failed, but it was executed";
  EXPECT_EQ(days({.user_id = bob}).at(0).compute_units_used, 0);
}

TEST_P(BillingAnalytics, PurgedTasksStayCountedAndDaysAreTheirOwn) {
  run_one(ada_, 1);
  roll_up();
  db().write([](Write& tx) { queue::purge_ended(tx, tx.now() + std::chrono::seconds(1)); });
  roll_up();
  EXPECT_EQ(days().at(0).tasks_executed, 1);
  clock().advance(std::chrono::hours(24));
  EXPECT_EQ(roll_up(), 0);
  run_one(ada_, 1);
  EXPECT_EQ(roll_up(), 1);
  EXPECT_EQ(days().size(), 2U);
  EXPECT_EQ(days({.from = "2026-03-02"}).size(), 1U);
  EXPECT_EQ(days({.until = "2026-03-01"}).size(), 1U);
  EXPECT_EQ(code_of([&] { days({.from = "yesterday"}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { days({.until = "2026-02-30"}); }), ErrorCode::invalid);
}

// SX-3: calls were never counted.
TEST_P(BillingAnalytics, CallsAreCountedBesides) {
  const auto call = [&](std::int64_t n) { db().write([&](Write& tx) { billing::count_api_calls(tx, ada_, n); }); };
  call(1);
  run_one(ada_, 1);
  roll_up();
  call(4);
  EXPECT_EQ(days().at(0).api_calls, 5);
  EXPECT_EQ(days().at(0).tasks_executed, 1);
  const auto bob = make_user("bob");
  EXPECT_TRUE(db().read({.actor = Actor::user(bob)}, [](Read& tx) { return billing::daily_usage(tx, {}); }).empty());
  EXPECT_EQ(code_of([&] { db().write({.actor = Actor::user(bob)}, [](Write& tx) { billing::roll_up(tx, tx.now()); }); }),
            ErrorCode::denied);
}

}  // namespace
}  // namespace quarry::test
