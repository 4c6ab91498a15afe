#pragma once
/// A user taken away for good, with all that is theirs.
///
///     accounts::delete_user(tx, ada);                              // hidden first; can be taken back
///     ...
///     const auto purge = ops::purge_user(db, ada);                 // cannot
///     if (!purge.done) ...                                         // `purge.running` tasks are still with workers: again
///     later
///
/// It goes through the stores, a bounded number of rows in each transaction: schedules, then jobs (cancelled first, then
/// purged with their tasks, logs and artifacts), tasks without a job, searches with their results, artifacts put by hand,
/// the payment provider's messages about their subscriptions, sessions. The last transaction takes the user, and with them
/// what is small (API keys, limits) and what only goes with its user: subscriptions, the ledger of compute units and its
/// periods. Killed at any point, it goes on when called again. Nobody else's rows are touched, and no figure of a queue, a
/// host or a body's references is left wrong. Bodies that nothing names any more wait for `artifacts::collect_garbage`.
///
/// **Live tasks** are asked to stop, and never torn from their workers: the user goes when the last one has ended, within a
/// heartbeat when the worker lives, with its lease when not (as long as anybody works on a queue, or calls
/// `billing::reap_expired`).
///
/// **What stays**: entries of the audit log, without their user, and one more, `user.purge`, with figures and the id. What
/// was written into the details of others stays, too: the log is never changed.
///
/// It acts as the system: whoever calls has decided that it may be done.
///
/// Errors: `not_found`, `conflict` (the user is not deleted, or was brought back meanwhile), and those of the stores.
/// Thread safety: may be called by several at once, also for one user.

#include <boost/describe.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "quarry/sql/database.hpp"

namespace quarry::ops {

struct UserPurge {
  std::int64_t schedules = 0;
  std::int64_t jobs = 0;
  std::int64_t tasks = 0;
  std::int64_t searches = 0;
  std::int64_t artifacts = 0;  ///< put by hand; those of jobs go with their jobs
  std::int64_t messages = 0;   ///< of the payment provider
  std::int64_t sessions = 0;
  std::int64_t running = 0;  ///< tasks that have not ended yet, which is why the user is still there
  bool done = false;         ///< the user is gone
};
BOOST_DESCRIBE_STRUCT(UserPurge, (), (schedules, jobs, tasks, searches, artifacts, messages, sessions, running, done))

struct UserPurgeOptions {
  int rows_per_transaction = 500;  ///< of each kind; 1 to 1000
  /// Called between transactions with what was done so far.
  std::function<void(const UserPurge&)> progress{};
};
/// Takes the user away as far as is possible now. Not to be called inside of a transaction.
UserPurge purge_user(const Database& db, UserId user, const UserPurgeOptions& options = {});

/// Users that were deleted before `before`, the oldest first: what a clean-up by age purges.
std::vector<UserId> users_deleted_before(Read& tx, Instant before, int limit = 100);

}  // namespace quarry::ops
