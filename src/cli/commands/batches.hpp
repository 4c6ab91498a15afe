#pragma once
/// Work on very many rows, a bounded transaction at a time.

#include <algorithm>
#include <boost/describe.hpp>
#include <cstdint>

#include "quarry/queue/control.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::cli {

/// Calls `move(tx, limit)`, which returns how many rows it moved, until it moves fewer than it might, or `most` are moved
/// (0: no bound).
template <class F>
std::int64_t in_batches(const Database& db, std::int64_t most, F&& move) {
  std::int64_t moved = 0;
  for (;;) {
    const auto left = most == 0 ? std::int64_t{queue::move_limit} : std::min<std::int64_t>(most - moved, queue::move_limit);
    if (left == 0) return moved;
    const std::int64_t now = db.write([&](Write& tx) { return move(tx, static_cast<int>(left)); });
    moved += now;
    if (now < left) return moved;
  }
}

struct MovedResult {
  std::int64_t tasks = 0;
};
BOOST_DESCRIBE_STRUCT(MovedResult, (), (tasks))

}  // namespace quarry::cli
