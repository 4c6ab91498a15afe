#include "quarry/core/random.hpp"

#include <pthread.h>
#include <sodium.h>

#include <array>
#include <atomic>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry {

std::uint64_t Random::below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

namespace {

/// A child process must not go on with its parent's numbers.
std::atomic<unsigned>& forks() {
  static std::atomic<unsigned> count{0};
  [[maybe_unused]] static const int registered = ::pthread_atfork(nullptr, nullptr, [] { ++forks(); });
  return count;
}

/// Numbers of one thread that the kernel has given in one call: a call for each would cost more than a row's other fields.
class Stock {
 public:
  std::uint64_t take() {
    const unsigned now = forks().load(std::memory_order_relaxed);
    if (left_ == 0 || forks_ != now) {
      randombytes_buf(numbers_.data(), sizeof numbers_);
      left_ = numbers_.size();
      forks_ = now;
    }
    // What has been given out is not kept.
    return std::exchange(numbers_[--left_], 0);
  }

 private:
  std::array<std::uint64_t, 64> numbers_{};
  std::size_t left_ = 0;
  unsigned forks_ = 0;
};

}  // namespace

SystemRandom::SystemRandom() {
  if (sodium_init() < 0) throw_bug("libsodium could not be initialised");
}

std::uint64_t SystemRandom::next() {
  thread_local Stock stock;
  return stock.take();
}

}  // namespace quarry
