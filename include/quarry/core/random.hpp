#pragma once
/// Randomness that is handed in, so that a test can repeat it.
///
/// Errors: none; without randomness the kernel lets the program wait, or libsodium ends it.

#include <cstdint>
#include <mutex>
#include <random>

namespace quarry {

/// Source of random bits. Implementations are thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  /// 64 random bits.
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, bound); 0 when `bound` is 0. Multiply-shift: bias below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound);
};

/// libsodium's `randombytes`, from the kernel.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  std::uint64_t next() override;
};

/// Repeats the same sequence for the same seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override {
    const std::scoped_lock lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace quarry
