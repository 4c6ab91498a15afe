#pragma once
/// Waits for a database that is away, or a disk that is full.

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <thread>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::crawl {

/// Whoever is asked to stop while the database is away waits no longer than this.
constexpr std::chrono::milliseconds patience_when_stopping{2'000};

/// Runs `action` until it succeeds. Errors that time may mend are met with a pause that grows to a second; other ones, and
/// those that last longer than `give_up_after`, or than `patience_when_stopping` once `stop` is requested, are thrown on.
/// The log hears of the first one, and of those that follow ever more seldom, down to once a minute.
template <class F>
auto with_patience(std::chrono::milliseconds give_up_after, const std::stop_token& stop, F&& action) {
  using Clock = std::chrono::steady_clock;
  auto give_up_at = Clock::now() + give_up_after;
  auto tell_at = Clock::now();
  std::chrono::seconds quiet{5};
  bool stopping = false;
  for (std::chrono::milliseconds pause{20};; pause = std::min(pause * 2, std::chrono::milliseconds(1000))) {
    try {
      return action();
    } catch (const Error& error) {
      const auto code = error.code();
      const bool may_pass = code == ErrorCode::unavailable || code == ErrorCode::timeout || code == ErrorCode::busy ||
                            code == ErrorCode::conflict;
      if (!stopping && stop.stop_requested()) {
        stopping = true;
        give_up_at = std::min(give_up_at, Clock::now() + patience_when_stopping);
      }
      if (!may_pass || Clock::now() + pause > give_up_at) throw;
      if (Clock::now() >= tell_at) {
        log::warn("nothing can be stored for now: {}; trying again", error.client_message());
        tell_at = Clock::now() + quiet;
        quiet = std::min(quiet * 2, std::chrono::seconds(60));
      }
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace quarry::crawl
