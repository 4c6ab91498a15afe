#include "quarry/queue/retry_policy.hpp"

#include <algorithm>

namespace quarry::queue {

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int retries_so_far, Random& random) {
  // 2^30 milliseconds are twelve days: beyond any sensible maximum, and far from overflow.
  const auto doublings = std::clamp(retries_so_far, 0, 30);
  const auto base = std::clamp<std::int64_t>(policy.delay.count(), 0, 86'400'000);
  const auto full = std::min(base << doublings, std::max<std::int64_t>(policy.delay_max.count(), 0));
  const auto half = full / 2;
  return std::chrono::milliseconds(half +
                                   static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(full - half) + 1)));
}

}  // namespace quarry::queue
