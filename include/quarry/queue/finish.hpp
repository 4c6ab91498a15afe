#pragma once
/// The end of a lease: finished, failed or given back. Each is refused, task by task, when the lease is no longer the
/// caller's.
///
/// Jobs' counters are kept in the same transaction. Put new tasks of a job in *before* the last one is finished: a job whose
/// last task has ended is over.
///
/// Errors: `invalid` (a result that is not JSON), `conflict` where it is said; a lease that is lost is a value. Thread
/// safety: that of the transaction.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/queue/claim.hpp"
#include "quarry/queue/retry_policy.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// Which of these leases are still the caller's. They stay so until the transaction ends, so that effects may be written for
/// them, and for them only, before `finish`.
std::vector<TaskId> hold(Write& tx, std::span<const LeaseRef> leases);

/// Who was refused: the lease had run out and the task was given to another, or cancelled, meanwhile. The caller's
/// transaction must undo the effects of these tasks: throw, or use `finish_or_throw`.
struct Refused {
  std::vector<TaskId> ids;
};

struct Finish {
  TaskId id = 0;
  std::int64_t lease_token = 0;
  std::optional<Json> result{};
};
BOOST_DESCRIBE_STRUCT(Finish, (), (id, lease_token, result))

/// Ends tasks as `completed`, with their results.
Refused finish(Write& tx, std::span<const Finish> tasks);
/// Throws `conflict` when any of them is refused, so that the whole unit of work is undone.
void finish_or_throw(Write& tx, std::span<const Finish> tasks);

struct Failure {
  TaskId id = 0;
  std::int64_t lease_token = 0;
  /// For people; stored in the attempt and the task, at most 10,000 bytes of it, and U+FFFD where it is no clean UTF-8.
  std::string error;
  bool permanent = false;                                  ///< no further try: `failed`
  std::optional<std::chrono::milliseconds> retry_after{};  ///< instead of the policy's delay
};

/// Records the attempt; the task is tried again after a delay that grows, or is `dead` once `max_retries` are used up.
Refused fail(Write& tx, std::span<const Failure> tasks, const RetryPolicy& policy = {});

/// Gives tasks back unworked (shutdown, no capacity): the attempt does not count, and they may run at once.
Refused release(Write& tx, std::span<const LeaseRef> tasks);

}  // namespace quarry::queue
