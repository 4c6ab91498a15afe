#include "quarry/limits/gcra.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using limits::Limit;

constexpr Instant kNow{1'772'366'400'000'000};

TEST(Gcra, TheIntervalIsRoundedUp) {
  EXPECT_EQ((Limit{.requests = 4, .period = 1s}.interval()), 250ms);
  EXPECT_EQ((Limit{.requests = 3, .period = 1s}.interval()), 333'334us) << "never more than three a second";
}

TEST(Gcra, WhatRemainsAndWhenItIsBack) {
  const Limit limit{.requests = 10, .period = 1s};
  const auto one = limits::admitted(limit, kNow, kNow + 100ms);
  EXPECT_TRUE(one.admitted);
  EXPECT_EQ(one.limit, 10);
  EXPECT_EQ(one.remaining, 9);
  EXPECT_EQ(one.reset_after, 100ms);
  const auto full = limits::not_taken(limit, 1, kNow, kNow + 1s);
  EXPECT_FALSE(full.admitted);
  EXPECT_EQ(full.remaining, 0);
  EXPECT_EQ(full.retry_after, 100ms);
  EXPECT_EQ(full.reset_after, 1s);
  const auto many = limits::not_taken(limit, 5, kNow, kNow + 800ms);
  EXPECT_EQ(many.remaining, 2);
  EXPECT_EQ(many.retry_after, 300ms);
  const auto idle = limits::not_taken(limit, 1, kNow, std::nullopt);
  EXPECT_TRUE(idle.admitted);
  EXPECT_EQ(idle.remaining, 10);
  EXPECT_EQ(limits::not_taken(limit, 1, kNow, kNow - 1h).remaining, 10) << "what was long ago counts for nothing";
}

TEST(Gcra, BoundsAreTold) {
  const auto refused = [](const Limit& limit, std::int64_t cost = 1) {
    try {
      limits::arrival(limit, cost, kNow);
      return false;
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid;
    }
  };
  EXPECT_TRUE(refused({.requests = 0}));
  EXPECT_TRUE(refused({.requests = 1'000'001}));
  EXPECT_TRUE(refused({.requests = 10, .period = 9us}));
  EXPECT_TRUE(refused({.period = std::chrono::days(400)}));
  EXPECT_TRUE(refused({.burst = -1}));
  EXPECT_TRUE(refused({.requests = 1, .period = std::chrono::days(366), .burst = 1'000'000}))
      << "the moments would overflow";
  EXPECT_FALSE(refused({.requests = 1'000'000, .period = std::chrono::days(366), .burst = 1'000'000}));
  EXPECT_TRUE(refused({.requests = 10, .burst = 3}, 4));
  EXPECT_TRUE(refused({}, -1));
  EXPECT_FALSE(refused({.requests = 10, .burst = 3}, 3));
}

}  // namespace
}  // namespace quarry::test
