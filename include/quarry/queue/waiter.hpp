#pragma once
/// What a worker does when there is nothing to do.
///
///     Waiter waiter(db, queue);
///     while (!stopping) {
///       auto tasks = db.write([&](Write& tx) { return claim(tx, queue, options); });
///       if (tasks.empty()) waiter.wait_until(deadline);
///       ...
///     }
///
/// A wake-up that comes between the claim and the wait is not lost: wake-ups are counted, and a wait returns at once when
/// there were any since the last one returned.
///
/// Errors: those of the subscription, from the constructor alone.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "quarry/queue/enqueue.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::sql {
class Subscription;
}

namespace quarry::queue {

/// How long whoever found nothing to claim may wait before it looks again. For workers that cannot sleep in a `Waiter`,
/// because they have other things to wait for as well. Not thread-safe.
class IdleTime {
 public:
  /// However quiet it is: a connection that was lost may have lost a wake-up with it.
  static constexpr std::chrono::milliseconds longest{1'000};

  /// `event` is `next_event`: when time alone may bring something. What is overdue and was not got by a claim perhaps fell
  /// due just now, perhaps it belongs to another queue or to one that is paused: soon at first, then ever more seldom.
  std::chrono::milliseconds until(std::optional<Instant> event, Instant now);
  /// Something was found, or somebody has called.
  void reset() noexcept { overdue_in_a_row_ = 0; }

 private:
  int overdue_in_a_row_ = 0;
};

/// For one waiting thread; `wake` may be called from any.
class Waiter {
 public:
  /// However quiet the channel, nobody waits longer.
  static constexpr std::chrono::milliseconds poll_interval = IdleTime::longest;

  /// Subscribes to the queue's wake-ups.
  Waiter(Database db, QueueId queue);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Returns true when it was woken, false at the earliest of `deadline`, the next moment at which time alone makes
  /// something claimable (`next_event`), and `poll_interval`. It may return early without reason. A database that cannot be
  /// reached is no error here: the next claim will tell.
  bool wait_until(std::chrono::steady_clock::time_point deadline);

  /// Ends the present wait, or the next: at shutdown.
  void wake();

 private:
  std::chrono::milliseconds patience();

  Database db_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t wakes_ = 0;
  std::uint64_t seen_ = 0;
  IdleTime idle_;
  std::unique_ptr<sql::Subscription> subscription_;  ///< the last member: it ends before what it calls
};

}  // namespace quarry::queue
