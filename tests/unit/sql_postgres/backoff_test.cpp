#include "sql/postgres/backoff.hpp"

#include <gtest/gtest.h>

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, StaysBetweenItsLimitsAndGrows) {
  SeededRandom random(3);
  Backoff backoff(random, 2ms, 500ms);
  Backoff::Pause longest{0};
  Backoff::Pause last = 2ms;
  for (int i = 0; i < 1000; ++i) {
    const auto pause = backoff.next();
    ASSERT_GE(pause, 2ms);
    ASSERT_LE(pause, std::min<Backoff::Pause>(500ms, last * 3));
    last = pause;
    longest = std::max(longest, pause);
  }
  EXPECT_EQ(longest, 500ms);
  backoff.reset();
  EXPECT_LE(backoff.next(), 6ms);
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
