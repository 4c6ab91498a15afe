#pragma once
/// Where the tasks of a queue that may run begin, as the workers of a process remember it.
///
/// On PostgreSQL what has been claimed leaves its entries at the front of the index of what may run until a vacuum comes,
/// and as long as somebody keeps an older snapshot (a backup, a long report) each claim looks up every row behind them:
/// 300,000 tasks later it has a fifth of its rate (docs/benchmarks.md). A claim that is given a `Head` begins where the last
/// ones did, and looks from the very front only now and then. SQLite takes entries away at once, and does not need one.
///
/// The price is order: what comes to stand in front of that place meanwhile (of a higher priority, or put back) is passed
/// over as long as claims find all that they ask for behind it, until the next look from the front: after `look_every`, or
/// twenty times as long as the last such look took, ten seconds at most. A claim that does not find enough looks from the
/// front at once, so nothing is passed over by workers that have time. Tasks with a host are found through their host, as
/// ever.
///
/// Errors: none. Thread safety: all functions may be called at any time. One for each queue; shared by the workers of a
/// process.

#include <chrono>
#include <compare>
#include <cstdint>
#include <mutex>
#include <optional>

#include "quarry/core/id.hpp"

namespace quarry::queue {

class Head {
 public:
  using Duration = std::chrono::steady_clock::duration;
  /// Where a task stands in the queue's order.
  struct Place {
    std::int64_t rank = 0;
    TaskId id = 0;
    auto operator<=>(const Place&) const = default;
  };

  explicit Head(Duration look_every = std::chrono::milliseconds(100)) : look_every_(look_every) {}

  /// Where to begin; nothing when the caller has to look from the front.
  std::optional<Place> begin();
  /// Says that a claim that began at `from` was filled, by tasks from `first` on.
  void move_to(Place from, Place first);
  /// Says that a look from the front took so long, and found as much as it wanted from this place on: else nothing, and the
  /// next one looks from the front too.
  void looked(std::optional<Place> first, Duration took);

 private:
  const Duration look_every_;
  std::mutex mutex_;
  std::optional<Place> place_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace quarry::queue
