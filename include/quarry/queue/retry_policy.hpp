#pragma once
/// How long to wait before the next try.
///
/// Errors: none. Thread safety: pure functions.

#include <chrono>

#include "quarry/core/random.hpp"

namespace quarry::queue {

/// Exponential with "equal jitter" (half fixed, half random; Brooker, "Exponential Backoff and Jitter", AWS Architecture
/// Blog, 2015): tries spread out, and none comes too soon.
struct RetryPolicy {
  std::chrono::milliseconds delay{2'000};  ///< before the first retry, at most; each further one doubles it
  std::chrono::milliseconds delay_max{3'600'000};
};

/// The delay before retry number `retries_so_far` + 1: between half of and all of min(delay * 2^retries_so_far, delay_max).
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int retries_so_far, Random& random);

}  // namespace quarry::queue
