/// Takes that share their transactions: each is decided as if it came alone.

#include "quarry/limits/limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "quarry/accounts/users.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using limits::ApiCall;
using limits::Key;
using limits::Limit;
using limits::Scraper;

constexpr int threads = 32;
constexpr int tries = 20;

class Together : public MigratedEngines {
 protected:
  void SetUp() override {
    user_ = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  }
  /// Calls `each(thread, try)` by many at once.
  void crowd(const std::function<void(int, int)>& each) {
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
      all.emplace_back([&, t] {
        for (int n = 0; n < tries; ++n) each(t, n);
      });
    for (auto& thread : all) thread.join();
  }
  UserId user_;
};
QUARRY_BOTH_ENGINES(Together);

TEST_P(Together, OneKeyAdmitsExactlyTheBound) {
  const Limit limit{.requests = 100, .period = 1s, .burst = 137};
  limits::Limiter limiter(db(), 8);
  for (const auto& key : {Key{ApiCall{user_, "GET /jobs"}}, Key{Scraper{"papers"}}}) {
    std::atomic<int> admitted = 0;
    crowd([&](int, int) {
      const auto decision = limiter.take(key, limit);
      if (decision.admitted) ++admitted;
      EXPECT_EQ(decision.admitted, decision.retry_after == 0us);
    });
    EXPECT_EQ(admitted, 137) << "the clock stands still";
  }
}

TEST_P(Together, EveryCallerHasTheDecisionOfItsOwnKey) {
  const Limit limit{.requests = tries / 2, .period = 1h};
  limits::Limiter limiter(db());
  crowd([&](int t, int n) {
    const auto decision = limiter.take(Scraper{"scraper " + std::to_string(t)}, limit);
    EXPECT_EQ(decision.admitted, n < tries / 2) << t << " " << n;
    EXPECT_EQ(decision.remaining, std::max(tries / 2 - n - 1, 0)) << t << " " << n;
  });
}

TEST_P(Together, OneWhoMayNotAskFailsNobodyElse) {
  const Limit limit{.requests = tries * threads, .period = 1h};
  limits::Limiter limiter(db());
  crowd([&](int t, int) {
    const Scraper scraper{"scraper " + std::to_string(t)};
    if (t % 4 != 0) {
      EXPECT_TRUE(limiter.take(scraper, limit).admitted);
      return;
    }
    // From inside a transaction of its own, whose connection the others may wait for.
    try {
      db().read([&](Read&) { limiter.take(scraper, limit); });
      ADD_FAILURE() << "it was let in";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bug);
    }
  });
}

TEST_P(Together, OneThatFailsFailsNobodyElse) {
  const Limit limit{.requests = tries * threads, .period = 1h};
  limits::Limiter limiter(db());
  std::atomic<int> unknown = 0;
  crowd([&](int t, int) {
    if (t % 4 != 0) {
      EXPECT_TRUE(limiter.take(Scraper{"scraper " + std::to_string(t)}, limit).admitted);
      return;
    }
    try {
      limiter.take(ApiCall{UserId{}, "GET /jobs"}, limit);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found);
      ++unknown;
    }
  });
  EXPECT_EQ(unknown, tries * threads / 4);
  for (int t = 1; t < threads; t += 4) {
    const auto left =
        db().read([&](Read& tx) { return limits::peek(tx, Scraper{"scraper " + std::to_string(t)}, limit, 0).remaining; });
    EXPECT_EQ(left, tries * (threads - 1)) << "taken once each, whatever its neighbours did";
  }
}

TEST_P(Together, CostsCountAndNothingCostsNothing) {
  const Limit limit{.requests = 10, .period = 1h};
  limits::Limiter limiter(db());
  EXPECT_EQ(limiter.take(Scraper{"papers"}, limit, 7).remaining, 3);
  EXPECT_FALSE(limiter.take(Scraper{"papers"}, limit, 4).admitted);
  EXPECT_EQ(limiter.take(Scraper{"papers"}, limit, 0).remaining, 3);
  EXPECT_THROW(limiter.take(Scraper{"papers"}, limit, 11), Error);
  EXPECT_THROW(limiter.take(Scraper{"papers"}, {.requests = 0}), Error);
  EXPECT_THROW(limits::Limiter(db(), 0), Error);
}

}  // namespace
}  // namespace quarry::test
