#pragma once
/// Wakes subscribers when something was committed: at once for this process's own notifications, and within a few
/// milliseconds for other processes' commits, which `PRAGMA data_version` shows (it changes whenever another connection has
/// committed; asking costs two system calls).
///
/// A subscription may outlive the watcher; it is not woken any more then.
///
/// Thread safety: all functions may be called from any thread. A `wake` must be short and must not subscribe.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "quarry/sql/backend.hpp"
#include "sql/sqlite/connection.hpp"

namespace quarry::sql::sqlite_driver {

class Watcher {
 public:
  /// `own_commits` tells how often this process has committed: data_version does not say who did.
  Watcher(Location location, const DatabaseOptions& options, std::function<std::uint64_t()> own_commits);
  ~Watcher();

  /// Throws `unavailable` when the watching thread cannot be started.
  std::unique_ptr<Subscription> subscribe(std::string_view channel, std::function<void()> wake);
  /// Wakes the subscribers of one channel, here and now.
  void notify(std::string_view channel);

 private:
  struct Listener {
    std::string channel;
    std::function<void()> wake;
  };
  /// What subscriptions need, and may hold for longer than the watcher lives.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::list<Listener> listeners;
    bool stopping = false;
  };
  class Registration;
  void watch();
  void wake_all();

  const Location location_;
  const DatabaseOptions& options_;
  const std::function<std::uint64_t()> own_commits_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::thread thread_;  ///< runs while there is a listener, and from then on
};

}  // namespace quarry::sql::sqlite_driver
