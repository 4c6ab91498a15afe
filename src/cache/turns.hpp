#pragma once
/// One thread of this program at a time for each key that is missing: the others wait for it here instead of asking the
/// table again and again.
///
/// Thread safety: all functions.

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace quarry::cache {

class Turns {
 public:
  /// Waits until nobody else has a turn at the key, and has it until the end of its scope.
  class Turn {
   public:
    Turn(Turns& turns, std::string_view key) : turns_(turns), key_(key) {
      std::unique_lock lock(turns_.mutex_);
      turns_.ended_.wait(lock, [&] { return turns_.taken_.insert(key_).second; });
    }
    ~Turn() {
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
  };

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<std::string> taken_;
};

}  // namespace quarry::cache
