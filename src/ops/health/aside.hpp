#pragma once
/// A look that may hang, at a file system that does not answer for one: on a thread of its own, which is waited for until a
/// timeout and then left alone. How many are left alone at once is bounded: when so many hang already, nobody looks again
/// before one of them has ended.

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::ops::health {

/// One for each thing that is looked at. Thread-safe.
class Aside {
 public:
  explicit Aside(int threads_max) : threads_max_(threads_max) {}
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  /// What `look` returns or throws. Throws `timeout`, with `late` as its message, when it does not return in time. `look`
  /// must own all that it uses.
  template <class F>
  auto run(std::chrono::milliseconds timeout, std::string_view late, F look) {
    if (running_->fetch_add(1) >= threads_max_) {
      --*running_;
      throw Error(ErrorCode::timeout, std::string(late));
    }
    std::packaged_task<std::invoke_result_t<F&>()> task(std::move(look));
    auto answer = task.get_future();
    try {
      std::thread([running = running_, task = std::move(task)]() mutable {
        task();
        --*running;
      }).detach();
    } catch (const std::system_error&) {
      --*running_;
      throw Error(ErrorCode::unavailable, "the system gives no thread: raise the limit (ulimit -u)");
    }
    if (answer.wait_for(timeout) != std::future_status::ready) throw Error(ErrorCode::timeout, std::string(late));
    return answer.get();
  }
  /// That have not ended yet.
  int running() const noexcept { return *running_; }

 private:
  int threads_max_;
  std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);  ///< outlives us with the threads
};

}  // namespace quarry::ops::health
