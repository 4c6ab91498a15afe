#pragma once
/// Reservations that stand for leases of the queue.

#include <span>
#include <string>
#include <vector>

#include "billing/ledger_rows.hpp"
#include "quarry/queue/claim.hpp"

namespace quarry::billing {

/// `task 7 lease 2 at 1772366400000000`. The time keeps it apart from a task of the same number in years to come: SQLite
/// gives numbers of deleted tasks again.
std::string lease_event_id(TaskId task, std::int64_t lease_token, Instant at);
/// Whether a reservation is that of this lease.
bool is_of_lease(const UsageEventRow& reservation, const queue::LeaseRef& lease);

/// Reserves of these tasks that nothing has ended yet.
std::vector<UsageEventRow> open_reservations(Read& tx, std::span<const TaskId> tasks);

/// How one of them ends.
struct LeaseEnd {
  UsageEventRow reservation;
  UsageKind kind = UsageKind::release;
  std::int64_t charged = 0;
};
enum class Wait { yes, no };
/// Writes the ends, the balances in a fixed order, and the jobs' units. Passed over are those that others ended meanwhile,
/// and without waiting those whose balance somebody else has.
std::int64_t end_reservations(Write& tx, std::vector<LeaseEnd> ends, Wait wait = Wait::yes);
/// As `expire_lost`, without waiting.
void expire_lost_of(Write& tx, UserId user);

}  // namespace quarry::billing
