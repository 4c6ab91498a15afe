#pragma once
/// A semaphore that counts memory. Who asks waits in line: a big share is not overtaken by small ones for ever.
///
/// Thread safety: all members may be called by any number of threads.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>

namespace quarry::accounts {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::int64_t total) : total_(total), free_(total) {}

  /// Memory in use, given back when it ends.
  class Share {
   public:
    Share(MemoryBudget& budget, std::int64_t size) : budget_(budget), size_(size) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_.give_back(size_); }

   private:
    MemoryBudget& budget_;
    std::int64_t size_;
  };

  /// More than the total counts as all of it. Throws `busy` when it has not become free within `wait_max`.
  Share take(std::int64_t size, std::chrono::milliseconds wait_max);

 private:
  void give_back(std::int64_t size);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t total_;
  std::int64_t free_;
  std::list<std::int64_t> line_;  ///< of those who wait, the first one first
};

}  // namespace quarry::accounts
