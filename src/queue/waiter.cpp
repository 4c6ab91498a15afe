#include "quarry/queue/waiter.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Waiter::Waiter(Database db, QueueId queue) : db_(std::move(db)) {
  subscription_ = db_.backend().subscribe(wake_channel(queue), [this] { wake(); });
}

Waiter::~Waiter() = default;

void Waiter::wake() {
  // Notified under the lock, so that a waiter that is being destroyed has waited for us.
  const std::scoped_lock lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

milliseconds IdleTime::until(std::optional<Instant> event, Instant now) {
  if (!event) return longest;
  if (*event <= now) return std::min(longest, milliseconds(5 << std::min(overdue_in_a_row_++, 8)));
  overdue_in_a_row_ = 0;
  // Rounded up: a millisecond too early would find nothing.
  return std::min(longest, std::chrono::ceil<milliseconds>(*event - now));
}

/// How long until time alone may bring something.
milliseconds Waiter::patience() {
  try {
    const auto now = db_.now();
    return idle_.until(db_.read([](Read& tx) { return next_event(tx); }), now);
  } catch (const Error& error) {
    log::debug("cannot look for the next event of a queue: {}", error.client_message());
    return poll_interval;
  }
}

bool Waiter::wait_until(steady_clock::time_point deadline) {
  const auto woken = [&] { return wakes_ != seen_; };
  {
    const std::scoped_lock lock(mutex_);
    if (woken()) {
      seen_ = wakes_;
      idle_.reset();
      return true;
    }
  }
  const auto until = std::min(deadline, steady_clock::now() + patience());
  std::unique_lock lock(mutex_);
  const bool was_woken = changed_.wait_until(lock, until, woken);
  seen_ = wakes_;
  if (was_woken) idle_.reset();
  return was_woken;
}

}  // namespace quarry::queue
