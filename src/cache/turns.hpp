#pragma once
/// One thread of this program at a time for each key that is missing: the others wait for it here instead of asking the
/// table again and again. It only saves work; what decides who computes is the lease in the table, so that nobody waits
/// longer for a thread that hangs than for a program that does.
///
/// Thread safety: all functions.

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "quarry/core/error.hpp"

namespace quarry::cache {

class Turns {
 public:
  /// Waits until nobody else has a turn at the key, but at most so long, and has it until the end of its scope. Throws
  /// `invalid` when the thread has it already: a computation that asks for its own value would wait for itself.
  class Turn {
   public:
    Turn(Turns& turns, std::string_view key, std::chrono::milliseconds at_most) : turns_(turns), key_(key) {
      std::unique_lock lock(turns_.mutex_);
      const auto self = std::this_thread::get_id();
      if (const auto held = turns_.taken_.find(key_); held != turns_.taken_.end() && held->second == self)
        throw_invalid(fmt::format("the computation of '{}' asks for its own value", key_));
      has_it_ = turns_.ended_.wait_for(lock, at_most, [&] { return turns_.taken_.emplace(key_, self).second; });
    }
    ~Turn() {
      if (!has_it_) return;
      {
        const std::scoped_lock lock(turns_.mutex_);
        turns_.taken_.erase(key_);
      }
      turns_.ended_.notify_all();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Turns& turns_;
    const std::string key_;
    bool has_it_ = false;
  };

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<std::string, std::thread::id> taken_;
};

}  // namespace quarry::cache
