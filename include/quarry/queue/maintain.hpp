#pragma once
/// What time does to a queue: tasks fall due, leases run out. `claim` does both on its way; a supervisor may do them too.
///
/// Errors: those of the database. Thread safety: that of the transaction.

#include <cstdint>
#include <optional>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// Makes tasks that have fallen due `pending`, the oldest first. Returns how many; call again while it returns `limit`.
std::int64_t promote_due(Write& tx, int limit = 1'000);

/// Takes back tasks whose lease has run out: their worker is dead or stuck. They may run again at once; the stall is counted
/// apart from the retries, and one stall more than `max_stalls` makes a task `dead`. Returns how many; call again while it
/// returns `limit`.
std::int64_t reap_expired(Write& tx, int limit = 1'000);

/// The next moment at which something may become claimable without anybody's doing: a task falls due, a lease runs out, a
/// host's delay or block ends. In any queue; it may lie in the past. A worker need not look earlier unless it is woken.
/// Nothing when nothing is waiting.
std::optional<Instant> next_event(Read& tx);

}  // namespace quarry::queue
