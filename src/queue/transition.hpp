#pragma once
/// Rows that come back from a statement which moved tasks, and the counters that follow.

#include <functional>
#include <vector>

#include "quarry/queue/enqueue.hpp"
#include "queue/effects.hpp"

namespace quarry::queue {

/// A task that a statement has moved: who it is, what it belongs to, and the state it has now.
struct MovedTask {
  TaskId id = 0;
  std::int64_t queue_id = 0;
  std::optional<std::int64_t> host_id;
  std::optional<JobId> job_id;
  TaskStatus status = TaskStatus::pending;

  TaskRefs refs() const { return {queue_id, host_id, job_id}; }
};
BOOST_DESCRIBE_STRUCT(MovedTask, (), (id, queue_id, host_id, job_id, status))

/// Of tasks that have just become `pending` or `scheduled` again, those of a paused job become `paused` instead, in the
/// table and in `tasks`: whoever pauses a job moves only what is waiting then. The jobs stay locked until the commit, so
/// that a pause comes before this or finds the tasks.
void pause_with_their_jobs(Write& tx, std::vector<MovedTask>& tasks);

/// Notes that `tasks` came from `from`, applies it, and wakes the workers of queues that now have something to do.
void settle(Write& tx, const std::vector<MovedTask>& tasks, TaskStatus from);
/// The same for tasks that came from different states.
void settle(Write& tx, const std::vector<MovedTask>& tasks, const std::function<TaskStatus(const MovedTask&)>& from);

}  // namespace quarry::queue
