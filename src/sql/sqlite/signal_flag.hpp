#pragma once
/// One thread tells another one, once: a flag on the waiter's stack, over the kernel's futex (futex(2)).
///
/// A condition variable makes its waiters take a lock to wake up, so that the members of a batch wake one after another;
/// `std::binary_semaphore` of libstdc++ 12 yields and naps before it waits with a deadline. Here a waiter sleeps at once and
/// wakes alone: with 32 writers on two cores a third of the time of either.
///
/// Thread safety: one thread waits, one gives. The flag may be gone as soon as it is given: `give` does not look at it
/// again.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace quarry::sql::sqlite_driver {

class SignalFlag {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  void give() noexcept {
    flag_.store(1, std::memory_order_release);
    // To wake nobody at an address that is somebody else's by now does no harm: every futex user checks its condition again.
    ::syscall(SYS_futex, &flag_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  /// False when the deadline came first.
  bool wait(Deadline deadline = Deadline::max()) noexcept {
    timespec until{};
    const bool is_bounded = deadline != Deadline::max();
    if (is_bounded) {
      const auto since_boot = deadline.time_since_epoch();
      const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
      until.tv_sec = seconds.count();
      until.tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count();
    }
    while (flag_.load(std::memory_order_acquire) == 0) {
      if (is_bounded && std::chrono::steady_clock::now() >= deadline) return false;
      // The bitset variant takes its time as a point on CLOCK_MONOTONIC, which is what steady_clock counts.
      ::syscall(SYS_futex, &flag_, FUTEX_WAIT_BITSET_PRIVATE, 0, is_bounded ? &until : nullptr, nullptr,
                FUTEX_BITSET_MATCH_ANY);
    }
    return true;
  }

 private:
  std::atomic<std::uint32_t> flag_{0};
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
};

}  // namespace quarry::sql::sqlite_driver
