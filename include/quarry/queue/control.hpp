#pragma once
/// What people do to queues, tasks and the tasks of a job: pause, cancel, try again, look.
///
/// Operations on many tasks move at most `limit` of them and return how many they moved: call again while that equals the
/// limit, so that no transaction grows without bound.
///
/// Whoever steers a job's tasks holds the job's row, and therefore waits for none of them: what another transaction has in
/// its hands at that moment is passed over, and the result is not `done`. `until_done` calls again.
///
/// Errors: `denied` for a queue, which is for the system and for admins; tasks and jobs that the actor does not see are
/// as if they were not there. Thread safety: that of the transaction.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

constexpr int move_limit = 10'000;

/// A paused queue hands out nothing; what is under way goes on. False when it was so already.
bool set_paused(Write& tx, QueueId queue, bool paused);

enum class CancelOutcome {
  cancelled,  ///< it will not run
  requested,  ///< it is running: its worker hears of it (`LeaseKeeper`: within a second)
  already_ended,
  not_found,
};
/// Cancels a task, or asks its worker to stop.
CancelOutcome cancel_task(Write& tx, TaskId task);

/// What one call has done with a job's tasks.
struct Moved {
  std::int64_t tasks = 0;  ///< moved by this call
  bool done = true;        ///< nothing is left: call again, in a transaction of its own, until it is so
  bool held = false;       ///< what is left is in the hands of others: they may need a moment
};

/// All tasks of a job: open ones are cancelled, running ones are asked to stop.
Moved cancel_job(Write& tx, JobId job, int limit = move_limit);
/// Open tasks of a job wait until `resume_job`; what is under way goes on.
Moved pause_job(Write& tx, JobId job, int limit = move_limit);
/// Undoes `pause_job`.
Moved resume_job(Write& tx, JobId job, int limit = move_limit);

/// Tries an ended task again with a fresh budget of retries and stalls; its attempts stay on record. False when it is not
/// ended as failed, dead or cancelled, or when another task has its unique key meanwhile: it stays as it is then, here and
/// below. The work of a job that is cancelled or deleted is not done any more: `conflict`, which names the job.
bool retry_task(Write& tx, TaskId task);
/// The same for the tasks of a queue that ended so (`dead`: the dead letters), the oldest first. Those of cancelled and
/// deleted jobs are left as they are.
Moved redrive(Write& tx, QueueId queue, TaskStatus ended_as = TaskStatus::dead, int limit = move_limit);
/// How many are left so, `move_limit` at most.
std::int64_t count_beyond_redrive(Read& tx, QueueId queue, TaskStatus ended_as = TaskStatus::dead);
/// The same for a job's failed and dead tasks; `conflict` as for one task.
Moved retry_job(Write& tx, JobId job, int limit = move_limit);

/// Deletes tasks that ended before `before`, with their attempts. Those of a job that is open stay: their unique keys say
/// what it has already done.
std::int64_t purge_ended(Write& tx, Instant before, int limit = move_limit);
/// The same for the ended tasks of one job.
Moved purge_job(Write& tx, JobId job, int limit = move_limit);

/// Nothing when there is none, or it was purged.
std::optional<Task> find_task(Read& tx, TaskId task);

/// Tasks in one state by id, 1 to 10,000 at most, with ids above `after`: the next page starts after the last id. Throws
/// `invalid` for a negative one.
std::vector<Task> list_tasks(Read& tx, QueueId queue, TaskStatus status, TaskId after = 0, int limit = 100);

/// An attempt that ended otherwise than by success. (The successful one is the task's own row.)
struct Attempt {
  std::int64_t id = 0;
  int attempt = 0;
  std::string outcome;
  std::optional<std::string> worker;
  std::optional<std::string> error_message;
  std::optional<Instant> started_at;
  Instant ended_at;
};
BOOST_DESCRIBE_STRUCT(Attempt, (), (id, attempt, outcome, worker, error_message, started_at, ended_at))
/// The oldest first.
std::vector<Attempt> attempts_of(Read& tx, TaskId task);

/// Tasks by state: sums of a few counters, whatever the queue's size.
struct Counts {
  std::array<std::int64_t, 9> by_status{};  ///< indexed by `TaskStatus`
  /// In this state.
  std::int64_t of(TaskStatus status) const { return by_status[static_cast<std::size_t>(status)]; }
  /// That may still run: the sum over the open states.
  std::int64_t open() const;
};
/// Of one queue.
Counts counts(Read& tx, QueueId queue);

struct QueueInfo {
  QueueId id;
  std::string name;
  bool is_paused = false;
};
BOOST_DESCRIBE_STRUCT(QueueInfo, (), (id, name, is_paused))
/// All of them, by name.
std::vector<QueueInfo> list_queues(Read& tx);

/// When the first in line became due, of the tasks without a host and of those whose host may be asked now: the first sign
/// of too few workers.
std::optional<Instant> oldest_pending(Read& tx, QueueId queue);

}  // namespace quarry::queue
