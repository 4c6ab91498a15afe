#include <atomic>

#include "conformance/billing/billing_test.hpp"

namespace quarry::test {
namespace {

using billing::LedgerOutcome;

class BillingConcurrency : public BillingTest {};
QUARRY_BOTH_ENGINES(BillingConcurrency);

// SX-2: the balance was read, changed and written without a lock.
TEST_P(BillingConcurrency, OfManyReservesForFewUnitsExactlyThoseSucceed) {
  constexpr int threads = 8;
  constexpr int each = 25;  // 200 for 100
  std::atomic<int> recorded{0}, exhausted{0};
  at_once(threads, [&](int thread) {
    for (int i = 0; i < each; ++i) {
      const auto entry = reserve(ada_, "r" + std::to_string(thread) + "." + std::to_string(i));
      (entry.outcome == LedgerOutcome::recorded ? recorded : exhausted)++;
    }
  });
  EXPECT_EQ(recorded, 100);
  EXPECT_EQ(exhausted, 100);
  EXPECT_EQ(balance(ada_).remaining(), 0);
  expect_sums();
}

TEST_P(BillingConcurrency, AmountsThatDoNotDivideTheBalanceStopBelowIt) {
  std::atomic<int> recorded{0};
  at_once(8, [&](int thread) {
    for (int i = 0; i < 6; ++i)
      recorded +=
          reserve(ada_, std::to_string(thread) + "." + std::to_string(i), 7 * unit).outcome == LedgerOutcome::recorded;
  });
  EXPECT_EQ(recorded, 14);
  EXPECT_EQ(balance(ada_).remaining(), 2 * unit);
  expect_sums();
}

TEST_P(BillingConcurrency, TheSameEventFromManyIsOne) {
  reserve(ada_, "reservation");
  std::atomic<int> reserves{0}, settles{0}, grants{0};
  at_once(8, [&](int) {
    for (int i = 0; i < 5; ++i) {
      const auto id = std::to_string(i);
      reserves += reserve(ada_, "r" + id).outcome == LedgerOutcome::recorded;
      settles += settle("s", "reservation").outcome == LedgerOutcome::recorded;
      grants += grant(ada_, "g" + id, unit).outcome == LedgerOutcome::recorded;
    }
  });
  EXPECT_EQ(reserves, 5);
  EXPECT_EQ(settles, 1);
  EXPECT_EQ(grants, 5);
  EXPECT_EQ(balance(ada_).reserved, 5 * unit);
  EXPECT_EQ(balance(ada_).used, 1 * unit);
  expect_sums();
}

TEST_P(BillingConcurrency, OfManyWhoEndAReservationOneDoes) {
  for (int round = 0; round < 5; ++round) {
    const auto r = "r" + std::to_string(round);
    reserve(ada_, r);
    std::atomic<int> ended{0};
    at_once(8, [&](int thread) {
      const auto id = r + " end " + std::to_string(thread);
      const auto entry = thread % 2 == 0 ? settle(id, r) : release(id, r);
      ended += entry.outcome == LedgerOutcome::recorded;
      if (entry.outcome != LedgerOutcome::recorded) {
        EXPECT_EQ(entry.outcome, LedgerOutcome::already_ended);
      }
    });
    EXPECT_EQ(ended, 1);
  }
  EXPECT_EQ(balance(ada_).reserved, 0);
  expect_sums();
}

TEST_P(BillingConcurrency, PlansChangeUnderWay) {
  at_once(6, [&](int thread) {
    if (thread == 0) {
      give(ada_, "starter");
    } else {
      for (int i = 0; i < 40; ++i) reserve(ada_, std::to_string(thread) + "." + std::to_string(i));
    }
  });
  const auto now = balance(ada_);
  EXPECT_EQ(now.granted, 1000 * unit);
  EXPECT_GE(now.reserved, 100 * unit);
  EXPECT_LE(now.reserved, 200 * unit);
  expect_sums();
}

}  // namespace
}  // namespace quarry::test
