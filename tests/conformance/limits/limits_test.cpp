#include "quarry/limits/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "quarry/accounts/users.hpp"
#include "support/error_of.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using limits::ApiCall;
using limits::Decision;
using limits::Key;
using limits::Limit;
using limits::Scraper;

class Limits : public MigratedEngines {
 protected:
  void SetUp() override {
    user_ = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  }
  std::vector<Key> both() const { return {ApiCall{user_, "GET /jobs"}, Scraper{"papers"}}; }
  Decision take(const Key& key, const Limit& limit, std::int64_t cost = 1) {
    return limits::take_now(db(), key, limit, cost);
  }
  Decision peek(const Key& key, const Limit& limit, std::int64_t cost = 1) {
    return db().read([&](Read& tx) { return limits::peek(tx, key, limit, cost); });
  }
  UserId user_;
};
QUARRY_BOTH_ENGINES(Limits);

TEST_P(Limits, AdmitTheBurstAndThenOneEachInterval) {
  const Limit limit{.requests = 10, .period = 1s, .burst = 3};
  for (const auto& key : both()) {
    for (int left = 2; left >= 0; --left) {
      const auto decision = take(key, limit);
      EXPECT_TRUE(decision.admitted);
      EXPECT_EQ(decision.limit, 3);
      EXPECT_EQ(decision.remaining, left);
    }
    const auto denied = take(key, limit);
    EXPECT_FALSE(denied.admitted);
    EXPECT_EQ(denied.remaining, 0);
    EXPECT_EQ(denied.retry_after, 100ms);
    EXPECT_EQ(denied.reset_after, 300ms);
    clock().advance(100ms - 1us);
    EXPECT_FALSE(take(key, limit).admitted);
    clock().advance(1us);
    EXPECT_TRUE(take(key, limit).admitted) << "as promised";
    EXPECT_FALSE(take(key, limit).admitted);
    clock().advance(10s);
    EXPECT_EQ(peek(key, limit).remaining, 3) << "rest is not saved up beyond the burst";
  }
}

// CI-5
TEST_P(Limits, SlowSteadyTrafficIsNeverDenied) {
  const Limit limit{.requests = 1, .period = 50s};
  for (const auto& key : both())
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(take(key, limit).admitted) << i;
      clock().advance(50s);
    }
}

TEST_P(Limits, CostsCountAndPeeksDoNot) {
  const Limit limit{.requests = 10, .period = 10s};
  for (const auto& key : both()) {
    EXPECT_TRUE(take(key, limit, 7).admitted);
    EXPECT_EQ(peek(key, limit, 4).retry_after, 1s);
    EXPECT_FALSE(take(key, limit, 4).admitted);
    EXPECT_EQ(take(key, limit, 0).remaining, 3);
    EXPECT_TRUE(peek(key, limit, 3).admitted);
    EXPECT_TRUE(take(key, limit, 3).admitted);
    EXPECT_EQ(peek(key, limit).remaining, 0);
  }
}

TEST_P(Limits, KeysAreApart) {
  const Limit limit{.requests = 1, .period = 1h};
  EXPECT_TRUE(take(ApiCall{user_, "a"}, limit).admitted);
  EXPECT_TRUE(take(ApiCall{user_, "A"}, limit).admitted);
  EXPECT_TRUE(take(Scraper{"a"}, limit).admitted);
  EXPECT_FALSE(take(ApiCall{user_, "a"}, limit).admitted);
  EXPECT_FALSE(take(Scraper{"a"}, limit).admitted);
}

TEST_P(Limits, ManyWritersAdmitExactlyTheBound) {
  constexpr int writers = 64;
  constexpr int tries = 10;
  const Limit limit{.requests = 100, .period = 1s, .burst = 137};
  for (const auto& key : both()) {
    std::atomic<int> admitted = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < writers; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < tries; ++n)
          if (take(key, limit).admitted) ++admitted;
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(admitted, 137) << "the clock stands still";
  }
}

TEST_P(Limits, SeveralAreTakenTogetherOrNotAtAll) {
  const Limit wide{.requests = 10, .period = 10s};
  const Limit narrow{.requests = 1, .period = 10s};
  const std::vector<limits::Take> takes{{Scraper{"z"}, wide, 4}, {ApiCall{user_, "b"}, narrow}, {ApiCall{user_, "a"}, wide}};
  const auto all = [&] { return db().write([&](Write& tx) { return limits::take_all(tx, takes); }); };
  for (const auto& decision : all()) EXPECT_TRUE(decision.admitted);
  const auto denied = all();
  for (const auto& decision : denied) EXPECT_FALSE(decision.admitted);
  EXPECT_EQ(denied[0].retry_after, 0us) << "this one would have done";
  EXPECT_EQ(denied[1].retry_after, 10s) << "but this one would not";
  EXPECT_EQ(peek(Scraper{"z"}, wide).remaining, 6) << "nothing was taken the second time";
  EXPECT_EQ(peek(ApiCall{user_, "a"}, wide).remaining, 9);
}

TEST_P(Limits, BadInputIsNamed) {
  const Limit limit{};
  EXPECT_EQ(code_of([&] { take(ApiCall{user_, ""}, limit); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { take(Scraper{std::string(51, 'x')}, limit); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { take(Scraper{"a"}, {.requests = 0}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { take(Scraper{"a"}, limit, 101); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { take(ApiCall{{}, "a"}, limit); }), ErrorCode::not_found);
}

TEST_P(Limits, AUserTakesFromTheirOwnOnly) {
  const Limit limit{};
  const UserId other{parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057")};
  EXPECT_EQ(code_of([&] {
              db().write({.actor = Actor::user(other)}, [&](Write& tx) { limits::take(tx, ApiCall{user_, "a"}, limit); });
            }),
            ErrorCode::not_found);
  EXPECT_TRUE(db().write({.actor = Actor::user(user_)}, [&](Write& tx) {
    return limits::take(tx, ApiCall{user_, "a"}, limit).admitted;
  }));
  EXPECT_TRUE(db().read({.actor = Actor::user(other)}, [](Read& tx) { return limits::list_api(tx).rows; }).empty());
}

TEST_P(Limits, NobodyLetsThemselfGo) {
  const Limit limit{};
  const auto as_user = [&](auto body) {
    return code_of([&] { db().write({.actor = Actor::user(user_)}, [&](Write& tx) { body(tx); }); });
  };
  take(ApiCall{user_, "a"}, limit);
  take(Scraper{"papers"}, limit);
  EXPECT_EQ(as_user([&](Write& tx) { limits::reset(tx, ApiCall{user_, "a"}); }), ErrorCode::denied);
  EXPECT_EQ(as_user([&](Write& tx) { limits::reset(tx, Scraper{"papers"}); }), ErrorCode::denied);
  EXPECT_EQ(as_user([&](Write& tx) { limits::sweep(tx, 0s); }), ErrorCode::denied);
  EXPECT_EQ(as_user([&](Write& tx) { limits::take(tx, Scraper{"papers"}, limit); }), ErrorCode::denied);
  EXPECT_EQ(as_user([&](Write& tx) { limits::peek(tx, Scraper{"papers"}, limit); }), ErrorCode::denied);
  EXPECT_EQ(as_user([&](Write& tx) { limits::find(tx, Scraper{"papers"}); }), ErrorCode::denied);
  EXPECT_EQ(as_user([&](Write& tx) { limits::list_scrapers(tx); }), ErrorCode::denied);
  EXPECT_EQ(peek(ApiCall{user_, "a"}, limit).remaining, 99);
  EXPECT_EQ(peek(Scraper{"papers"}, limit).remaining, 99);
  EXPECT_TRUE(db().write({.actor = Actor::admin(user_)}, [&](Write& tx) { return limits::reset(tx, Scraper{"papers"}); }));
}

TEST_P(Limits, WrongPasswordsAreNoScrapers) {
  EXPECT_EQ(code_of([&] { take(Scraper{"login:x"}, {}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { db().write([](Write& tx) { limits::reset(tx, Scraper{"login:x"}); }); }), ErrorCode::invalid);
  const std::string id = is_sqlite() ? "zeroblob(16)" : "'01890a5d-ac96-774b-bcce-b302099a8057'";
  db().write([&](Write& tx) {
    tx.session().run_script("test.guard", "insert into rate_limits (id, scraper_name) values (" + id + ", 'login:x')");
  });
  take(Scraper{"login"}, {});
  const auto rows = db().read([](Read& tx) { return limits::list_scrapers(tx).rows; });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].scraper_name, "login");
}

TEST_P(Limits, RowsAreShownResetAndSwept) {
  const Limit limit{.requests = 2, .period = 1min};
  for (const auto* endpoint : {"b", "a"}) take(ApiCall{user_, endpoint}, limit);
  take(ApiCall{user_, "a"}, limit);
  take(Scraper{"papers"}, limit);
  const auto api = db().read([&](Read& tx) { return limits::list_api(tx, user_).rows; });
  ASSERT_EQ(api.size(), 2U);
  EXPECT_EQ(api[0].endpoint, "a");
  EXPECT_EQ(api[0].request_count, 2);
  clock().advance(61s);
  take(ApiCall{user_, "a"}, limit);
  EXPECT_EQ(db().read([&](Read& tx) { return limits::list_api(tx, user_).rows[0].request_count; }), 1) << "a new window";
  EXPECT_EQ(db().read([](Read& tx) { return limits::list_scrapers(tx).rows; }).size(), 1U);

  const auto reset = [&](const Key& key) { return db().write([&](Write& tx) { return limits::reset(tx, key); }); };
  EXPECT_TRUE(reset(ApiCall{user_, "a"}));
  EXPECT_FALSE(reset(ApiCall{user_, "a"}));
  EXPECT_EQ(peek(ApiCall{user_, "a"}, limit).remaining, 2);

  const auto sweep = [&](int most) { return db().write([&](Write& tx) { return limits::sweep(tx, 1h, most); }); };
  EXPECT_EQ(sweep(10), 0) << "too young";
  clock().advance(1h);
  EXPECT_EQ(sweep(10), 2);
  EXPECT_EQ(sweep(10), 0);
}

TEST_P(Limits, OneRowIsShown) {
  const Limit limit{.requests = 2, .period = 1min};
  const auto api = [&] { return db().read([&](Read& tx) { return limits::find(tx, ApiCall{user_, "a"}); }); };
  const auto scraper = [&] { return db().read([&](Read& tx) { return limits::find(tx, Scraper{"papers"}); }); };
  EXPECT_FALSE(api());
  EXPECT_FALSE(scraper());
  take(ApiCall{user_, "a"}, limit);
  take(Scraper{"papers"}, limit, 2);
  EXPECT_EQ(api()->request_count, 1);
  EXPECT_EQ(api()->tat, clock().now() + 30s);
  EXPECT_EQ(scraper()->request_count, 2);
  EXPECT_EQ(scraper()->last_request_at, clock().now());
}

// A sweep that forgot what was taken while it chose would admit twice the burst.
TEST_P(Limits, SweepsBetweenTakesForgetNothing) {
  const Limit limit{.requests = 5, .period = 1s};
  for (int round = 0; round < 40; ++round) {
    for (const auto& key : both()) take(key, limit);
    clock().advance(1h);
    std::atomic<int> admitted = 0;
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) db().write([&](Write& tx) { limits::sweep(tx, 1s, 10); });
    });
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 4; ++n)
          for (const auto& key : both()) admitted += take(key, limit).admitted;
      });
    threads.clear();
    ASSERT_EQ(admitted, 10) << "round " << round;
  }
}

}  // namespace
}  // namespace quarry::test
