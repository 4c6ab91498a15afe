#include "quarry/cache/cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

class CacheTest : public MigratedEngines {
 protected:
  std::unique_ptr<cache::Cache> make(cache::CacheOptions options = {}) {
    return std::make_unique<cache::Cache>(db(), options);
  }
  /// What a second program would have: nothing in common but the database.
  std::unique_ptr<cache::Cache> make_elsewhere(cache::CacheOptions options = {}) {
    return std::make_unique<cache::Cache>(database().open(), options);
  }
  /// With the cache's own.
  std::int64_t rows() {
    static constexpr sql::Query<std::int64_t()> count{"test.count", "select count(*) from cache where hit_count = 0"};
    return db().read([](Read& tx) { return tx.value(count); });
  }
};
QUARRY_BOTH_ENGINES(CacheTest);

TEST_P(CacheTest, OwnChangesAreSeenAtOnceAndOthersWhenTheyAreStale) {
  const auto here = make({.max_stale = 2s});
  const auto there = make_elsewhere({.max_stale = 2s});
  here->set("a", "1", 1h);
  EXPECT_EQ(there->get("a"), "1");
  here->set("a", "2", 1h);
  EXPECT_EQ(here->get("a"), "2");
  EXPECT_EQ(there->get("a"), "1") << "as it was at most two seconds ago";
  clock().advance(2s);
  EXPECT_EQ(there->get("a"), "1");
  clock().advance(1us);
  EXPECT_EQ(there->get("a"), "2");
  EXPECT_TRUE(here->remove("a"));
  EXPECT_EQ(here->get("a"), std::nullopt);
  EXPECT_EQ(there->get("a"), "2");
  clock().advance(3s);
  EXPECT_EQ(there->get("a"), std::nullopt);
}

TEST_P(CacheTest, NothingIsGivenOutBehindItsEnd) {
  const auto cache = make({.max_stale = 1h});
  cache->set("a", "1", 10s);
  clock().advance(10s - 1us);
  EXPECT_EQ(cache->get("a"), "1");
  EXPECT_EQ(cache->ttl("a"), cache::Ttl(1us));
  clock().advance(1us);
  EXPECT_EQ(cache->get("a"), std::nullopt);
  EXPECT_EQ(cache->ttl("a"), std::nullopt);
  cache->set("b", "1", {});
  const auto endless = cache->ttl("b");
  ASSERT_TRUE(endless.has_value());
  EXPECT_FALSE(endless->has_value());
}

TEST_P(CacheTest, WithoutStalenessEveryGetAsksTheTable) {
  const auto here = make({.max_stale = 0us});
  const auto there = make_elsewhere({.max_stale = 0us});
  here->set("a", "1", {});
  EXPECT_EQ(there->get("a"), "1");
  here->set("a", "2", {});
  EXPECT_EQ(there->get("a"), "2") << "at the same moment";
}

TEST_P(CacheTest, HitsAreCountedAndWrittenInBatches) {
  const auto cache = make({.max_stale = 1h});
  cache->set("a", "1", {});
  for (int i = 0; i < 5; ++i) cache->get("a");
  cache->get("missing");
  const auto elsewhere = make_elsewhere();
  elsewhere->get("a");
  const auto figures = cache->statistics();
  EXPECT_EQ(figures.memory_hits, 5);
  EXPECT_EQ(figures.table_hits, 0);
  EXPECT_EQ(figures.misses, 1);
  EXPECT_DOUBLE_EQ(figures.hit_rate(), 5.0 / 6.0);
  EXPECT_GT(figures.memory_bytes, 2) << "an entry is more than its key and value";
  EXPECT_EQ(elsewhere->statistics().table_hits, 1);
  const auto written = [&] { return db().read([](Read& tx) { return cache::table_statistics(tx).hits; }); };
  EXPECT_EQ(written(), 0);
  cache->maintain();
  elsewhere->maintain();
  EXPECT_EQ(written(), 6);
  cache->maintain();
  EXPECT_EQ(written(), 6) << "each hit once";
  EXPECT_EQ(db().read([](Read& tx) { return cache::list(tx).rows.at(0).hit_count; }), 6);
  cache->remove("a");
  const auto sums = db().read([](Read& tx) { return cache::table_statistics(tx); });
  EXPECT_EQ(sums.entries, 0);
  EXPECT_EQ(sums.hits, 6) << "the sum outlives the entry";
  EXPECT_EQ(sums.misses, 1);
  EXPECT_DOUBLE_EQ(sums.hit_rate(), 6.0 / 7.0);
}

TEST_P(CacheTest, MaintainKeepsTheBudgetByLastUse) {
  const auto cache = make({.max_stale = 1h, .table_bytes_max = 250});
  for (const auto* key : {"a", "b", "c"}) {
    clock().advance(1s);
    cache->set(key, std::string(99, 'x'), {});
  }
  cache->set("d", "x", 1s);
  clock().advance(1s);
  cache->get("a");
  const auto done = cache->maintain();
  EXPECT_EQ(done.expired, 1);
  EXPECT_EQ(done.evicted, 1);
  const auto elsewhere = make_elsewhere();
  EXPECT_TRUE(elsewhere->get("a")) << "it was used last";
  EXPECT_FALSE(elsewhere->get("b"));
  EXPECT_TRUE(elsewhere->get("c"));
}

TEST_P(CacheTest, MemoryIsBounded) {
  const auto cache = make({.max_stale = 1h, .memory_bytes_max = 64 * 1'000});
  for (int i = 0; i < 1'000; ++i) cache->set("k" + std::to_string(i), std::string(500, 'x'), {});
  EXPECT_LE(cache->statistics().memory_bytes, 64'000);
  EXPECT_GT(cache->statistics().memory_bytes, 16'000);
  cache->set("large", std::string(5'000, 'x'), {});
  EXPECT_EQ(cache->get("large")->size(), 5'000U) << "from the table";
  EXPECT_EQ(cache->statistics().memory_hits, 0);
}

TEST_P(CacheTest, MemoryIsBoundedForManySmallValuesToo) {
  const auto cache = make({.max_stale = 1h, .memory_bytes_max = 64 * 1'000});
  int in_memory = 0;
  db().write([&](Write& tx) {
    for (int i = 0; i < 1'000; ++i) cache::set(tx, std::to_string(i), "", {});
  });
  for (int i = 0; i < 1'000; ++i) cache->get(std::to_string(i));
  for (int i = 0; i < 1'000; ++i) {
    const auto hits = cache->statistics().memory_hits;
    cache->get(std::to_string(i));
    in_memory += cache->statistics().memory_hits > hits;
  }
  EXPECT_LT(in_memory, 640) << "each takes more than a hundred bytes";
  EXPECT_LE(cache->statistics().memory_bytes, 64'000);
}

TEST_P(CacheTest, AClockThatIsSetBackMakesNothingFresh) {
  const auto here = make({.max_stale = 2s});
  const auto there = make_elsewhere({.max_stale = 2s});
  here->set("a", "1", {});
  EXPECT_EQ(there->get("a"), "1");
  here->set("a", "2", {});
  clock().advance(-1h);
  EXPECT_EQ(there->get("a"), "2");
}

TEST_P(CacheTest, OfTwoWritersMemoryHasTheOneThatTheTableHas) {
  const auto cache = make({.max_stale = 1h});
  for (int round = 0; round < 50; ++round) {
    std::latch begun(3);
    std::vector<std::jthread> writers;
    for (int w = 0; w < 3; ++w)
      writers.emplace_back([&, w] {
        begun.arrive_and_wait();
        for (int i = 0; i < 3; ++i) cache->set("k", std::to_string(100 * w + i), {});
      });
    writers.clear();
    const auto stored = db().read([](Read& tx) { return cache::get(tx, "k")->value; });
    ASSERT_EQ(cache->get("k"), stored) << "round " << round;
  }
}

TEST_P(CacheTest, RemovedPrefixesAreGoneFromMemoryToo) {
  const auto cache = make({.max_stale = 1h});
  for (int i = 0; i < 20; ++i) cache->set("u:" + std::to_string(i), "x", {});
  cache->set("v", "x", {});
  EXPECT_EQ(cache->remove_prefix("u:"), 20);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(cache->get("u:" + std::to_string(i)));
  EXPECT_TRUE(cache->get("v"));
  EXPECT_FALSE(cache->set_if_absent("v", "y", {}));
  EXPECT_TRUE(cache->set_if_absent("w", "y", {}));
  EXPECT_EQ(cache->get("w"), "y");
}

TEST_P(CacheTest, OneComputationOfAllThreadsAndPrograms) {
  constexpr int programs = 3;
  constexpr int threads = 6;
  std::vector<std::unique_ptr<cache::Cache>> caches;
  for (int i = 0; i < programs; ++i) caches.push_back(make_elsewhere());
  std::atomic<int> computed = 0;
  std::latch begun(programs * threads);
  std::vector<std::jthread> all;
  for (auto& cache : caches)
    for (int i = 0; i < threads; ++i)
      all.emplace_back([&] {
        begun.arrive_and_wait();
        EXPECT_EQ(cache->get_or_compute("slow", 1h,
                                        [&] {
                                          ++computed;
                                          std::this_thread::sleep_for(30ms);
                                          return std::string("value");
                                        }),
                  "value");
      });
  all.clear();
  EXPECT_EQ(computed, 1);
  EXPECT_EQ(caches[0]->get_or_compute("slow", 1h, [] { return std::string("never"); }), "value");
}

TEST_P(CacheTest, AComputationThatThrowsIsItsCallersAndTheNextOneTries) {
  const auto cache = make();
  int tries = 0;
  const auto compute = [&]() -> std::string {
    if (++tries == 1) throw std::runtime_error("no rates today");
    return "rates";
  };
  EXPECT_THROW(cache->get_or_compute("r", 1h, compute), std::runtime_error);
  EXPECT_EQ(cache->get("r"), std::nullopt);
  EXPECT_EQ(make_elsewhere()->get_or_compute("r", 1h, compute), "rates") << "the lease was given back";
  EXPECT_EQ(tries, 2);
}

TEST_P(CacheTest, ADeadComputersLeaseRunsOut) {
  const auto dead = make_elsewhere({.compute_max = 5s});
  const auto alive = make();
  std::atomic<bool> given = false;
  std::latch computing(1);
  // It takes the lease and does not come back while it is good.
  std::jthread hung([&] {
    dead->get_or_compute("k", 1h, [&] {
      computing.count_down();
      while (!given) std::this_thread::sleep_for(1ms);
      return std::string("late");
    });
  });
  computing.wait();
  std::jthread waiting([&] {
    EXPECT_EQ(alive->get_or_compute("k", 1h, [] { return std::string("fresh"); }), "fresh");
    given = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(given) << "the lease is good";
  clock().advance(5s);
  waiting.join();
  hung.join();
  EXPECT_EQ(make_elsewhere()->get("k"), "fresh") << "who comes late has the older value";
}

TEST_P(CacheTest, LeasesAreNobodysBusiness) {
  const auto cache = make();
  cache->get_or_compute("k", 1h, [&] {
    EXPECT_TRUE(db().read([](Read& tx) { return cache::list(tx).rows; }).empty());
    EXPECT_EQ(cache->remove_prefix("q"), 0);
    return std::string("v");
  });
  EXPECT_EQ(rows(), 1) << "the lease is gone";
}

TEST_P(CacheTest, WhatIsRemovedWhileItIsComputedIsNotKept) {
  const std::string long_key(255, 'k');
  for (const auto& key : {std::string("user:1"), long_key}) {
    for (const bool by_prefix : {false, true}) {
      const auto cache = make({.max_stale = 1h});
      const auto value = cache->get_or_compute(key, 1h, [&] {
        if (by_prefix)
          make_elsewhere()->remove_prefix(key.substr(0, 4));
        else
          make_elsewhere()->remove(key);
        return std::string("of before");
      });
      EXPECT_EQ(value, "of before") << "its caller gets it";
      EXPECT_EQ(cache->get(key), std::nullopt) << key << " " << by_prefix;
      EXPECT_EQ(cache->get_or_compute(key, 1h, [] { return std::string("of after"); }), "of after");
      EXPECT_EQ(cache->get(key), "of after");
      cache->remove(key);
      EXPECT_EQ(rows(), 0);
    }
  }
}

TEST_P(CacheTest, WhoComputesFromBeforeARemovalDoesNotGetInBehindANewComputation) {
  const auto first = make();
  first->get_or_compute("k", 1h, [&] {
    first->remove("k");
    const auto second = make_elsewhere();
    EXPECT_EQ(second->get_or_compute("k", 1us, [] { return std::string("of after"); }), "of after");
    clock().advance(1s);
    return std::string("of before");
  });
  EXPECT_EQ(make_elsewhere()->get("k"), std::nullopt);
}

TEST_P(CacheTest, WhatIsSetWhileItIsComputedStays) {
  const auto cache = make();
  EXPECT_EQ(cache->get_or_compute("k", 1h,
                                  [&] {
                                    make_elsewhere()->set("k", "set", 1h);
                                    return std::string("computed");
                                  }),
            "computed");
  EXPECT_EQ(cache->get("k"), "set");
}

TEST_P(CacheTest, WhatTakesLongerThanItsLeaseIsKeptAllTheSame) {
  const auto cache = make({.compute_max = 30s});
  cache->get_or_compute("k", 1h, [&] {
    clock().advance(2min);
    make_elsewhere()->maintain();
    return std::string("slow");
  });
  EXPECT_EQ(cache->get("k"), "slow");
  EXPECT_EQ(rows(), 1);
}

TEST_P(CacheTest, AThreadThatHangsHoldsNobodyUpForever) {
  const auto cache = make({.compute_max = 50ms});
  std::latch computing(1);
  std::latch done(1);
  std::jthread hung([&] {
    cache->get_or_compute("k", 1h, [&] {
      computing.count_down();
      done.wait();
      return std::string("late");
    });
  });
  computing.wait();
  clock().advance(50ms);
  EXPECT_EQ(cache->get_or_compute("k", 1h, [] { return std::string("fresh"); }), "fresh");
  done.count_down();
}

TEST_P(CacheTest, AComputationThatAsksForItselfIsRefused) {
  const auto cache = make();
  const auto asks = [&] { return cache->get_or_compute("k", 1h, [] { return std::string(); }); };
  try {
    cache->get_or_compute("k", 1h, asks);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_THAT(error.client_message(), testing::HasSubstr("'k'"));
  }
  EXPECT_EQ(cache->get_or_compute("j", 1h, asks), "") << "others may be asked for";
}

}  // namespace
}  // namespace quarry::test
