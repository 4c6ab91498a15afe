#pragma once
/// A few threads that run closures in the order they were posted: the place where blocking database calls of an event loop
/// go.
///
/// The threads start with the first `post`. The destructor runs what was posted before it and joins them; called from one
/// of the pool's own threads (a job held the last handle of a database), it lets that thread finish by itself.
/// A job must not throw. Thread-safe.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace quarry::sql {

class WorkPool {
 public:
  explicit WorkPool(std::size_t threads);
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  void post(std::function<void()> job);

 private:
  /// Outlives the pool in a thread that had to be left behind.
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> jobs;
    bool stopping = false;
  };
  void start_one();
  static void serve(const std::shared_ptr<Shared>& shared);

  const std::size_t threads_max_;
  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;  ///< guarded by the mutex of `shared_`
};

}  // namespace quarry::sql
