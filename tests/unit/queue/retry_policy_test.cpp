#include "quarry/queue/retry_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace quarry::queue {
namespace {

using namespace std::chrono_literals;

TEST(RetryPolicy, DoublesAndStaysBetweenHalfAndAll) {
  SeededRandom random(1);
  const RetryPolicy policy{1s, 1h};
  for (int retries = 0; retries < 11; ++retries) {
    auto least = std::chrono::milliseconds::max(), most = std::chrono::milliseconds::zero();
    for (int i = 0; i < 200; ++i) {
      const auto delay = retry_delay(policy, retries, random);
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    const auto full = 1s * (1 << retries);
    EXPECT_GE(least, full / 2);
    EXPECT_LE(most, full);
    EXPECT_GT(most - least, full / 4) << "jitter spreads them";
  }
}

TEST(RetryPolicy, NeverBeyondTheMaximumNorNegative) {
  SeededRandom random(1);
  for (const int retries : {12, 100, 1'000'000, -5}) {
    EXPECT_LE(retry_delay({1s, 1h}, retries, random), 1h);
    EXPECT_GE(retry_delay({1s, 1h}, retries, random), 0ms);
  }
  EXPECT_EQ(retry_delay({0ms, 1h}, 3, random), 0ms);
  EXPECT_EQ(retry_delay({-5s, 1h}, 3, random), 0ms);
  EXPECT_EQ(retry_delay({1s, -1s}, 3, random), 0ms);
}

}  // namespace
}  // namespace quarry::queue
