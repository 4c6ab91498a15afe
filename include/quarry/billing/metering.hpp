#pragma once
/// The queue with a meter: units are reserved with a lease, settled with the finish, and given back with everything else.
///
///     auto tasks = billing::claim(tx, queue, {.worker = me, .limit = 10});          // instead of queue::claim
///     ...
///     db.write([&](Write& tx) { store_results(tx); billing::finish_or_throw(tx, done); });
///
/// At the claim a user's tasks pass as the plan allows, strictly, however many claim at the same time:
/// - no more of them run at once than `max_concurrent_tasks`, over all queues. The others are kept back for a while, which
///   grows with the time they have waited: 1 s to a minute;
/// - each reserves `reserve_units` of what is left of the period. When nothing is left they are kept back until the next
///   period, and looked at again every hour; a grant or a larger plan lets them go at once.
/// Tasks without a user are nobody's, and cost nothing.
///
/// A lease's reservation ends in the transaction that ends the lease:
///
/// | how the lease ends                     | what it costs                                                |
/// |----------------------------------------|--------------------------------------------------------------|
/// | finish                                 | its run time, `cost_of`: minutes rounded up, at least 1      |
/// | fail, release                          | nothing; when its user had cancelled it, its run time        |
/// | lost: the worker died or was too late  | nothing                                                      |
///
/// Whoever uses the queue's own functions on a metered task ends the lease without its reservation; `expire_lost` finds it.
///
/// Metering is off until `set_enforced`: then nothing is reserved or limited for anybody, the command line's local user
/// included. What takes tasks out asks `is_enforced`, which the crawl worker does every few seconds.
///
/// Errors: those of the queue's functions and of the ledger (`not_found`, `invalid`, `conflict`); being kept back or
/// refused is a value. Thread safety: that of the transaction.

#include <cstdint>
#include <span>
#include <vector>

#include "quarry/billing/ledger.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/claim_gate.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::billing {

/// Whether plans are enforced in this database: the key `billing.enforced` of `system_config`.
bool is_enforced(Read& tx);
/// Throws `denied` for whoever is neither the system nor an admin.
void set_enforced(Write& tx, bool enforced);

struct MeterOptions {
  std::int64_t reserve_units = micro_per_unit;  ///< for each lease, in micro-units
  OverReserve over = OverReserve::charge;       ///< when it ran longer than that
};

/// Lets a user's tasks through as the plan allows, and reserves units for those that pass. For `ClaimOptions::gate`; `claim`
/// below brings its own. One transaction, one gate.
class Gate final : public queue::ClaimGate {
 public:
  explicit Gate(const MeterOptions& options = {});
  /// Keeps back the tasks of users whose plan allows no more now. Throws what the ledger throws.
  std::vector<queue::KeptBack> judge(Write& tx, std::span<const queue::ClaimedTask> tasks) override;

 private:
  MeterOptions options_;
};

/// `queue::claim` through a gate; with `maintain`, reservations of leases that have run out expire with them. Throws as that
/// does, and `invalid` for `reserve_units` out of bounds.
std::vector<queue::ClaimedTask> claim(Write& tx, queue::QueueId queue, const queue::ClaimOptions& options,
                                      const MeterOptions& meter = {});

/// `queue::finish`, and the reservations of the tasks that were not refused are settled.
queue::Refused finish(Write& tx, std::span<const queue::Finish> tasks, const MeterOptions& meter = {});
/// `queue::finish_or_throw`, likewise: `conflict` when any of them is refused.
void finish_or_throw(Write& tx, std::span<const queue::Finish> tasks, const MeterOptions& meter = {});
/// `queue::fail` and `queue::release`, and the reservations are given back.
queue::Refused fail(Write& tx, std::span<const queue::Failure> tasks, const queue::RetryPolicy& policy = {});
/// `queue::release`, and the reservations are given back.
queue::Refused release(Write& tx, std::span<const queue::LeaseRef> tasks);
/// `queue::reap_expired`, and the reservations expire.
std::int64_t reap_expired(Write& tx, int limit = 1'000);

/// For units of work that end their leases by the queue's functions: ends the reservations, after them, in the same
/// transaction and in the same `as_one`. Leases without a reservation are passed over. Returns how many it ended.
std::int64_t settle_finished(Write& tx, std::span<const queue::LeaseRef> leases, const MeterOptions& meter = {});
/// The same for leases that were failed or released: their reservations are given back.
std::int64_t settle_unfinished(Write& tx, std::span<const queue::LeaseRef> leases);

/// Ends reservations whose lease is over although nobody said so, of one user or of all: at most `limit`. Returns how many.
std::int64_t expire_lost(Write& tx, std::optional<UserId> user = {}, int limit = 1'000);

}  // namespace quarry::billing
