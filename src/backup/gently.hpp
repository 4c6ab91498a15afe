#pragma once
/// Heavy work on a thread of its own, behind everybody else.

#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <thread>
#include <utility>

#include "backup/file.hpp"

namespace quarry::backup {

/// Runs `work` on a thread whose niceness is raised by `niceness` (Linux gives each thread its own, see nice(2)) and returns
/// what it returns. A thread's niceness cannot be lowered again, so the caller's is left alone.
template <class F>
auto run_gently(int niceness, F&& work) {
  using Result = decltype(work());
  std::exception_ptr failure;
  Result result{};
  std::thread([&] {
    if (niceness > 0)
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()),
                    ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())) + niceness);
    try {
      result = in_our_words(std::forward<F>(work));
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return result;
}

}  // namespace quarry::backup
