#pragma once
/// Pauses between attempts: decorrelated jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
/// 2015). Each pause is random between the base and three times the last one, so that rivals drift apart.

#include <algorithm>
#include <chrono>

#include "quarry/core/random.hpp"

namespace quarry::sql::postgres_driver {

class Backoff {
 public:
  using Pause = std::chrono::microseconds;
  Backoff(Random& random, Pause base, Pause most) : random_(random), base_(base), most_(most), last_(base) {}

  Pause next() {
    const auto spread = static_cast<std::uint64_t>((last_ * 3 - base_).count());
    last_ = std::min(most_, base_ + Pause(static_cast<std::int64_t>(random_.below(spread + 1))));
    return last_;
  }
  void reset() { last_ = base_; }

 private:
  Random& random_;
  const Pause base_;
  const Pause most_;
  Pause last_;
};

}  // namespace quarry::sql::postgres_driver
