#pragma once
/// Work that turned out to belong to another host: a redirect.
///
/// A task's host is what it waits for. One that goes on elsewhere is given back, like a release, and waits for the other
/// host's turn: its delay, its limit, its block. It keeps its place, its unique key and its budget.
///
/// Errors: those of the database. Thread safety: that of the transaction.

#include <cstdint>
#include <span>

#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::queue {

struct HostMove {
  TaskId id = 0;
  std::int64_t lease_token = 0;
  std::int64_t host_id = 0;  ///< where it belongs
  Json payload;              ///< what it is to do there
};

/// Ends the leases. A task that was to be cancelled ends as cancelled. Refused are those whose lease is not held any more.
Refused move_to_host(Write& tx, std::span<const HostMove> tasks);

}  // namespace quarry::queue
