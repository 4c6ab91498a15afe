#pragma once
/// Putting tasks in, one or a hundred thousand, in the caller's transaction.
///
/// Errors: `invalid` (a name, a priority, a limit or a key out of bounds), `constraint` (no such user or job). Thread
/// safety: that of the transaction.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// The queue of this name, made at its first use. Names are 1 to 100 characters; `invalid` otherwise.
QueueId open_queue(Write& tx, std::string_view name);
/// The same without making it.
std::optional<QueueId> find_queue(Read& tx, std::string_view name);

struct NewTask {
  std::string task_type{};
  Json payload{"{}"};
  int priority = priority_default;        ///< 1 (highest) to 10
  std::optional<Instant> scheduled_at{};  ///< not before; nothing means now
  std::optional<std::string> host_key{};  ///< tasks of one host share its delay, limits and blocks
  /// A second task with the key is not put in as long as the first is kept (or, with `unique_while_active`, until it has
  /// ended).
  std::optional<std::string> unique_key{};
  bool unique_while_active = false;
  int max_retries = 3;  ///< tries after the first; 0 to 1000
  int max_stalls = 9;   ///< leases lost to dead workers before it is given up; 1 to 1000
};

/// What all tasks of one call have in common.
struct EnqueueOptions {
  std::optional<UserId> user_id{};
  std::optional<JobId> job_id{};  ///< counts them in the job's `total_items` and `open_tasks`
  /// They wait in state `blocked` until `release_blocked` (their job depends on another one).
  bool blocked = false;
};

struct Enqueued {
  std::vector<TaskId> ids;      ///< of those that were put in, in no particular order
  std::int64_t duplicates = 0;  ///< not put in, because their unique key was there
};

/// Throws `invalid` for a priority, limit or key out of bounds and names it, and `not_found` for a job that the actor does
/// not see; nothing is put in then.
Enqueued enqueue(Write& tx, QueueId queue, std::span<const NewTask> tasks, const EnqueueOptions& options = {});

/// One task; nothing when it was a duplicate.
std::optional<TaskId> enqueue(Write& tx, QueueId queue, const NewTask& task, const EnqueueOptions& options = {});

/// The channel that is notified when a queue gets tasks that may run.
std::string wake_channel(QueueId queue);

}  // namespace quarry::queue
