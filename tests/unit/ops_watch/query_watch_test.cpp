#include "quarry/ops/query_watch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

namespace quarry::ops {
namespace {

using namespace std::chrono_literals;

struct Told {
  std::string name;
  std::int64_t us;
  bool failed;
  std::int64_t left_out;
  bool operator==(const Told&) const = default;
};

QueryWatchOptions telling(std::vector<Told>& told, std::chrono::milliseconds quiet) {
  return {.slow = 10ms, .quiet = quiet, .tell = [&told](const SlowQuery& slow) {
            told.push_back({std::string(slow.name), slow.duration.count(), slow.failed, slow.left_out});
          }};
}

TEST(QueryWatch, CountsByName) {
  QueryWatch watch;
  watch.statement_ended({.name = "a", .duration = 2ms});
  watch.statement_ended({.name = "b", .duration = 10ms, .failed = true});
  watch.statement_ended({.name = "a", .duration = 3ms});
  const auto queries = watch.queries();
  ASSERT_EQ(queries.size(), 2U);
  EXPECT_EQ(queries[0].name, "b");
  EXPECT_EQ(queries[0].failures, 1);
  EXPECT_EQ(queries[1].runs, 2);
  EXPECT_EQ(queries[1].total_us, 5'000);
  EXPECT_EQ(queries[1].longest_us, 3'000);
}

TEST(QueryWatch, TellsOfWhatIsSlow) {
  std::vector<Told> told;
  QueryWatch watch(telling(told, 0ms));
  watch.statement_ended({.name = "quick", .duration = 9'999us});
  watch.statement_ended({.name = "slow", .duration = 10ms});
  watch.statement_ended({.name = "broken", .duration = 20ms, .failed = true});
  EXPECT_EQ(told, (std::vector<Told>{{"slow", 10'000, false, 0}, {"broken", 20'000, true, 0}}));
}

TEST(QueryWatch, WhatIsSlowAllTheTimeDoesNotFloodTheLog) {
  std::vector<Told> told;
  auto options = telling(told, 200ms);
  std::chrono::steady_clock::time_point now{};
  options.now = [&] { return now; };
  QueryWatch watch(options);
  for (int i = 0; i < 100; ++i) watch.statement_ended({.name = "slow", .duration = 11ms});
  watch.statement_ended({.name = "other", .duration = 11ms});
  ASSERT_EQ(told.size(), 2U);
  now += 200ms;
  watch.statement_ended({.name = "slow", .duration = 12ms});
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told.back(), (Told{"slow", 12'000, false, 99}));
}

TEST(QueryWatch, WithoutAThresholdNothingIsTold) {
  std::vector<Told> told;
  auto options = telling(told, 0ms);
  options.slow = 0ms;
  QueryWatch watch(options);
  watch.statement_ended({.name = "slow", .duration = 1h});
  EXPECT_TRUE(told.empty());
}

TEST(QueryWatch, NamesAreBounded) {
  QueryWatch watch({.names_max = 10});
  for (int i = 0; i < 100; ++i) watch.statement_ended({.name = fmt::format("q{}", i), .duration = 1ms});
  const auto queries = watch.queries();
  EXPECT_EQ(queries.size(), 11U);
  EXPECT_EQ(queries.front().name, "(other)");
  EXPECT_EQ(queries.front().runs, 90);
}

TEST(QueryWatch, CountsAllOfManyThreads) {
  QueryWatch watch;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        watch.statement_ended({.name = "q", .duration = 1us});
        watch.transaction_ended({.is_write = i % 2 == 0, .duration = 1ms, .failed = i % 10 == 0});
      }
    });
  threads.clear();
  EXPECT_EQ(watch.queries().front().runs, 8'000);
  EXPECT_EQ(watch.reads().runs + watch.writes().runs, 8'000);
  EXPECT_EQ(watch.writes().failures, 800);
}

}  // namespace
}  // namespace quarry::ops
