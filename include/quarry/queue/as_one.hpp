#pragma once
/// Several calls as one change.
///
///     db.write([&](Write& tx) {
///       lock_jobs(tx, jobs);
///       as_one(tx, [&](Write& unit) {
///         enqueue(unit, queue, links, {.job_id = job});
///         finish_or_throw(unit, done);
///       });
///     });
///
/// Every call that moves tasks changes rows that others want too: the hosts' figures and the queue's counters. One call
/// takes them in a fixed order; two calls in a transaction do not, and two such transactions may each hold what the other
/// one wants. PostgreSQL notices that after a second and ends one of them; it is run again, and may meet the next. Within
/// `as_one` these rows are changed once, at the end, in order: fewer statements, locks that are held for a moment, and
/// nobody in a circle.
///
/// Until then the figures are those from before: do not `claim`, nor read counts or hosts, inside. Jobs' figures are changed
/// at once.
///
/// Errors: what the body throws. Thread safety: that of the transaction.

#include <functional>
#include <span>

#include "quarry/core/id.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// Runs `body` with a transaction of its own kind; when it throws, nothing of what it has noted is applied.
void as_one(Write& tx, const std::function<void(Write& unit)>& body);

/// Locks jobs in the order of their ids until the transaction ends: before a unit of work that changes several of them, one
/// after the other. On SQLite there is nothing to do.
void lock_jobs(Write& tx, std::span<const JobId> jobs);

}  // namespace quarry::queue
