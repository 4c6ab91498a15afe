#pragma once
/// Taking tasks out to work on them, and keeping them while the work goes on.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// A task under lease. `lease_token` goes with every later word about it.
struct ClaimedTask {
  TaskId id = 0;
  std::int64_t lease_token = 0;
  std::string task_type;
  Json payload;
  std::optional<UserId> user_id;
  std::optional<JobId> job_id;
  std::optional<std::int64_t> host_id;
  int retry_count = 0;
  int max_retries = 0;
  int stall_count = 0;
  std::int64_t rank = 0;
};
BOOST_DESCRIBE_STRUCT(ClaimedTask, (),
                      (id, lease_token, task_type, payload, user_id, job_id, host_id, retry_count, max_retries, stall_count,
                       rank))

class ClaimGate;
class Head;

struct ClaimOptions {
  std::string worker;                       ///< who asks, for people: `host:pid`
  int limit = 1;                            ///< tasks at most; 1 to 10,000
  std::chrono::milliseconds lease{30'000};  ///< until a heartbeat must have come; 100 ms to a day
  /// Also bring in what is due and take back what dead workers held, first. A worker that claims often may do so less often.
  bool maintain = true;
  /// Has a say in which tasks are handed out (claim_gate.hpp). Null: nobody has.
  ClaimGate* gate = nullptr;
  /// Where to begin (head.hpp), for workers that claim tasks without hosts by the thousand. Null: at the front.
  Head* head = nullptr;
};

/// The best tasks that may run now: by rank (priority, aged), those with a host only as its delay, limit and block allow.
/// Empty when there are none, or the queue is paused. Reads through indexes of what may run; what may not is never looked
/// at. Throws `invalid` for options out of bounds.
std::vector<ClaimedTask> claim(Write& tx, QueueId queue, const ClaimOptions& options);

/// One lease, named by both halves.
struct LeaseRef {
  TaskId id = 0;
  std::int64_t lease_token = 0;
};
BOOST_DESCRIBE_STRUCT(LeaseRef, (), (id, lease_token))

struct HeartbeatResult {
  std::vector<TaskId> lost;       ///< given to somebody else, or ended: stop working on them
  std::vector<TaskId> cancelled;  ///< still yours, but wanted no more: stop, and `fail` or `finish` them
};

/// Extends leases to `now + lease`. Throws `invalid` for a lease out of bounds.
HeartbeatResult heartbeat(Write& tx, std::span<const LeaseRef> leases, std::chrono::milliseconds lease);

/// Which of these tasks are wanted no more, of those that are still under these leases: what a heartbeat tells too, by a
/// look at the rows that changes nothing and may be repeated often. Throws `denied` for users: it is a worker's part.
std::vector<TaskId> cancel_requests(Read& tx, std::span<const LeaseRef> leases);

}  // namespace quarry::queue
