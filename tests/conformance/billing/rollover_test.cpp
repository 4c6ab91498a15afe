#include "conformance/billing/billing_test.hpp"

namespace quarry::test {
namespace {

using billing::LedgerOutcome;

class BillingRollover : public BillingTest {
 protected:
  std::size_t periods() {
    return db().read([&](Read& tx) { return billing::periods_of(tx, ada_).size(); });
  }
};
QUARRY_BOTH_ENGINES(BillingRollover);

// SX-3: the monthly refill was never written.
TEST_P(BillingRollover, ANewPeriodHasItsOwnAllowanceOnce) {
  reserve(ada_, "march", 100 * unit);
  EXPECT_EQ(reserve(ada_, "too late").outcome, LedgerOutcome::exhausted);
  go_to("2026-03-31T23:59:59.999999Z");
  EXPECT_EQ(reserve(ada_, "still").outcome, LedgerOutcome::exhausted);
  go_to("2026-04-01T00:00:00Z");
  EXPECT_EQ(reserve(ada_, "april", 60 * unit).outcome, LedgerOutcome::recorded);
  EXPECT_EQ(reserve(ada_, "april too", 41 * unit).outcome, LedgerOutcome::exhausted) << "what was not used is not kept";
  EXPECT_EQ(periods(), 2U);
  EXPECT_EQ(count("select count(*) from usage_events where kind = 'grant'"), 2);
  expect_sums();
}

TEST_P(BillingRollover, WorkIsSettledInThePeriodThatItBeganIn) {
  reserve(ada_, "long");
  go_to("2026-04-02T00:00:00Z");
  const auto done = settle("long done", "long", 7 * unit);
  EXPECT_EQ(done.balance.period_start, parse_iso8601("2026-03-01T00:00:00Z"));
  EXPECT_EQ(done.balance.used, 7 * unit);
  EXPECT_EQ(balance(ada_).used, 0);
  EXPECT_EQ(reserve(ada_, "long").outcome, LedgerOutcome::repeated) << "an id is one event, also a month later";
  expect_sums();
}

TEST_P(BillingRollover, TheFreePeriodBeginsOnTheDayOfTheMonthOfOnesBeginning) {
  const auto eve = make_user("eve", parse_iso8601("2025-12-31T09:00:00Z"));
  EXPECT_EQ(balance(eve).period_start, parse_iso8601("2026-02-28T00:00:00Z"));
  EXPECT_EQ(balance(eve).period_end, parse_iso8601("2026-03-31T00:00:00Z"));
}

TEST_P(BillingRollover, ManyAtTheBorderOpenItOnce) {
  reserve(ada_, "march");
  go_to("2026-04-01T00:00:00Z");
  std::atomic<int> recorded{0};
  at_once(8, [&](int i) { recorded += reserve(ada_, "april " + std::to_string(i)).outcome == LedgerOutcome::recorded; });
  EXPECT_EQ(recorded, 8);
  EXPECT_EQ(count("select count(*) from usage_events where kind = 'grant'"), 2);
  EXPECT_EQ(balance(ada_).granted, 100 * unit);
  expect_sums();
}

TEST_P(BillingRollover, AnUpgradeInMidPeriodKeepsWhatWasUsed) {
  reserve(ada_, "r", 80 * unit);
  settle("s", "r", 80 * unit);
  give(ada_, "starter");
  const auto now = balance(ada_);
  EXPECT_EQ(now.granted, 1000 * unit);
  EXPECT_EQ(now.used, 80 * unit);
  EXPECT_EQ(reserve(ada_, "more", 920 * unit).outcome, LedgerOutcome::recorded);
  EXPECT_EQ(reserve(ada_, "too much").outcome, LedgerOutcome::exhausted);
  give(ada_, "professional");
  EXPECT_EQ(balance(ada_).granted, 5000 * unit);
  EXPECT_EQ(db().write([&](Write& tx) { return billing::sync_allowance(tx, ada_); }), 0) << "once";
  expect_sums();
}

TEST_P(BillingRollover, PresentsStayWhenThePlanChanges) {
  grant(ada_, "present", 25 * unit);
  const auto given = give(ada_, "starter");
  EXPECT_EQ(balance(ada_).granted, 1025 * unit);
  db().write([&](Write& tx) { billing::end_subscription(tx, given.id); });
  EXPECT_EQ(balance(ada_).granted, 125 * unit);
  expect_sums();
}

TEST_P(BillingRollover, AnotherAnchorBeginsAPeriodOfItsOwn) {
  reserve(ada_, "r", 80 * unit);
  go_to("2026-03-20T15:00:00Z");
  give(ada_, "starter");
  EXPECT_EQ(balance(ada_).period_start, parse_iso8601("2026-03-20T00:00:00Z"));
  EXPECT_EQ(reserve(ada_, "all of it", 1000 * unit).outcome, LedgerOutcome::recorded);
  go_to("2026-04-20T00:00:00Z");
  EXPECT_EQ(reserve(ada_, "and again", 1000 * unit).outcome, LedgerOutcome::recorded);
  EXPECT_EQ(periods(), 3U);
  expect_sums();
}

}  // namespace
}  // namespace quarry::test
