#include "quarry/queue/of_user.hpp"

#include "queue/access.hpp"
#include "queue/transition.hpp"

namespace quarry::queue {
namespace {

constexpr TaskStatus waits_of_user[] = {TaskStatus::scheduled, TaskStatus::pending, TaskStatus::blocked, TaskStatus::paused};

constexpr sql::Command<MovedTask(UserId, TaskStatus, Instant, int)> cancel_of_user{
    "queue.cancel_user",
    sql::sqlite("update task_queue set status = 'cancelled', completed_at = $3"
                " where id in (select id from task_queue where user_id = $1 and job_id is null and status = $2 limit $4)"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("with chosen as materialized (select id from task_queue where user_id = $1 and job_id is null"
                  "  and status = $2 limit $4 for update)"
                  " update task_queue t set status = 'cancelled', completed_at = $3"
                  " from chosen where t.id = chosen.id returning t.id, t.queue_id, t.host_id, t.job_id, t.status")};
constexpr sql::Command<void(UserId)> stop_of_user{
    "queue.stop_user",
    "update task_queue set cancel_requested = true where user_id = $1 and job_id is null and status = 'processing'"};
constexpr sql::Command<MovedTask(UserId, int)> delete_of_user{
    "queue.purge_user",
    sql::sqlite("delete from task_queue where id in (select id from task_queue where user_id = $1 and job_id is null"
                " and completed_at is not null order by id limit $2) returning id, queue_id, host_id, job_id, status"),
    sql::postgres("with old as materialized (select id from task_queue where user_id = $1 and job_id is null"
                  "  and completed_at is not null order by id limit $2 for update)"
                  " delete from task_queue t using old where t.id = old.id returning t.id, t.queue_id, t.host_id, t.job_id, "
                  "t.status")};

}  // namespace

TasksOfUser remove_tasks_of_user(Write& tx, UserId user, int limit) {
  require_sees_all(tx, "taking away a user's tasks");
  Effects effects;
  int left = limit;
  for (const auto state : waits_of_user) {
    const auto cancelled = tx.all(cancel_of_user, user, state, tx.now(), left);
    for (const auto& task : cancelled) effects.moved(task.refs(), state, task.status);
    left -= static_cast<int>(cancelled.size());
    if (left == 0) break;
  }
  TasksOfUser result;
  // Afterwards: a task that was being claimed meanwhile is running now.
  result.running = tx.run(stop_of_user, user);
  const auto ended = tx.all(delete_of_user, user, limit);
  for (const auto& task : ended) effects.removed(task.refs(), task.status);
  effects.apply(tx);
  result.removed = static_cast<std::int64_t>(ended.size());
  return result;
}

}  // namespace quarry::queue
