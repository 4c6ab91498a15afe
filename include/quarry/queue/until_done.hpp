#pragma once
/// Calls what works in parts, until nothing is left.
///
///     until_done([&] { return db.write([&](Write& tx) { return jobs::cancel(tx, job); }); });

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "quarry/queue/control.hpp"

namespace quarry::queue {

/// Calls `part`, which returns a `Moved`, until it is done: at once, or after a pause that grows to 50 ms when others have
/// in their hands what is left. Returns how many tasks were moved in all. Throws what `part` throws.
template <class Part>
std::int64_t until_done(Part&& part) {
  using std::chrono::milliseconds;
  std::int64_t tasks = 0;
  for (milliseconds pause{1};;) {
    const Moved moved = part();
    tasks += moved.tasks;
    if (moved.done) return tasks;
    if (!moved.held) continue;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds{50});
  }
}

}  // namespace quarry::queue
