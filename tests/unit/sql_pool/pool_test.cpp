#include "sql/pool/pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace quarry::sql {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

std::atomic<int> alive{0};
std::atomic<int> alive_max{0};

struct Fake {
  Fake() {
    const int n = ++alive;
    int seen = alive_max.load();
    while (n > seen && !alive_max.compare_exchange_weak(seen, n)) {
    }
  }
  ~Fake() { --alive; }
  int uses = 0;
};

PoolConfig<Fake> config(std::size_t connections) {
  PoolConfig<Fake> made;
  made.connections_max = connections;
  made.open = [](steady_clock::time_point) { return std::make_unique<Fake>(); };
  made.healthy = [](Fake&, auto) { return true; };
  return made;
}

steady_clock::time_point far() { return steady_clock::now() + 60s; }

TEST(Pool, HandsOutAndTakesBack) {
  Pool<Fake> pool(config(2));
  {
    auto lease = pool.acquire(far());
    lease->uses = 7;
    EXPECT_EQ(pool.counts().busy, 1u);
  }
  EXPECT_EQ(pool.counts().idle, 1u);
  EXPECT_EQ(pool.acquire(far())->uses, 7);
}

TEST(Pool, APoisonedConnectionIsClosed) {
  Pool<Fake> pool(config(2));
  {
    auto lease = pool.acquire(far());
    lease->uses = 7;
    lease.poison();
  }
  EXPECT_EQ(pool.counts().open, 0u);
  EXPECT_EQ(pool.acquire(far())->uses, 0);
}

TEST(Pool, TimesOutAndSaysWhoHoldsTheConnections) {
  Pool<Fake> pool(config(1));
  auto lease = pool.acquire(far());
  lease.note("queue.claim");
  try {
    pool.acquire(steady_clock::now() + 5ms);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::timeout);
    EXPECT_THAT(error.client_message(), ::testing::HasSubstr("1 of 1 connections are in use"));
    EXPECT_THAT(error.client_message(), ::testing::HasSubstr("(queue.claim)"));
  }
  EXPECT_EQ(pool.counts().waiters, 0u);
}

TEST(Pool, RefusesWhenTooManyWait) {
  auto limited = config(1);
  limited.waiters_max = 0;
  Pool<Fake> pool(limited);
  auto lease = pool.acquire(far());
  try {
    pool.acquire(far());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::busy);
  }
}

TEST(Pool, AFailedOpenIsItsCallersAndTheNextOneWorks) {
  int tries = 0;
  auto flaky = config(1);
  flaky.open = [&](steady_clock::time_point) -> std::unique_ptr<Fake> {
    if (++tries == 1) throw Error(ErrorCode::unavailable, "down");
    return std::make_unique<Fake>();
  };
  Pool<Fake> pool(flaky);
  EXPECT_THROW(pool.acquire(far()), Error);
  EXPECT_TRUE(pool.acquire(far()));
}

TEST(Pool, ReplacesAConnectionWhoseProbeFails) {
  auto checked = config(1);
  checked.idle_before_check = 0ms;
  checked.healthy = [](Fake& fake, auto) { return fake.uses < 1; };
  Pool<Fake> pool(checked);
  pool.acquire(far())->uses = 1;
  EXPECT_EQ(pool.acquire(far())->uses, 0);
}

TEST(Pool, ABumpClosesWhatRests) {
  Pool<Fake> pool(config(2));
  { auto lease = pool.acquire(far()); }
  EXPECT_EQ(pool.counts().open, 1u);
  pool.bump_generation();
  EXPECT_EQ(pool.counts().open, 0u);
}

TEST(Pool, ManyThreadsShareAFewConnections) {
  alive_max = 0;
  Pool<Fake> pool(config(3));
  std::atomic<int> inside{0};
  std::atomic<int> done{0};
  std::latch start(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      start.wait();
      for (int i = 0; i < 300; ++i) {
        auto lease = pool.acquire(far());
        EXPECT_LE(++inside, 3);
        ++lease->uses;
        if (i % 50 == t) lease.poison();
        --inside;
        ++done;
      }
    });
  start.count_down();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 16 * 300);
  EXPECT_LE(alive_max, 3);
  EXPECT_EQ(pool.counts().busy, 0u);
  EXPECT_EQ(pool.counts().waiters, 0u);
}

}  // namespace
}  // namespace quarry::sql
