#pragma once
/// A thread that is started when it is first needed.

#include <system_error>
#include <thread>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::sql {

/// What a caller is told at the process's thread limit: `unavailable`, with the remedy.
Error no_thread(const std::system_error& error);

/// Starts `body` in `thread` unless that runs already. Throws `no_thread`, and nothing has changed then.
template <class Body>
void start_thread(std::thread& thread, Body&& body) {
  if (thread.joinable()) return;
  try {
    thread = std::thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    throw no_thread(error);
  }
}

}  // namespace quarry::sql
