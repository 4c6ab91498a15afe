#include "queue/put_back.hpp"

#include <set>

namespace quarry::queue {
namespace {

struct BackRow {
  TaskId id;
  Instant due;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(BackRow, (), (id, due, reason))

// No look at the job, which others may hold: whoever pauses or cancels it waits for this task, and looks once more at what
// is scheduled then.
constexpr sql::Command<MovedTask(BackRow)> put_back_one{
    "queue.put_back",
    sql::sqlite("update task_queue set status = 'scheduled', lease_until = null, worker = null, started_at = null, "
                "scheduled_at = $2,"
                " rank = $2 + (rank - scheduled_at), error_message = $3 where id = $1"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("update task_queue set status = 'scheduled', lease_until = null, worker = null, started_at = null,"
                  " scheduled_at = $2, rank = rank + (extract(epoch from $2::timestamptz - scheduled_at) * 1000000)::bigint,"
                  " error_message = $3 where id = $1 returning id, queue_id, host_id, job_id, status")};

constexpr sql::Command<MovedTask(TaskId)> put_back_now{
    "queue.put_back_now",
    "update task_queue set status = 'pending', lease_until = null, worker = null, started_at = null where id = $1"
    " returning id, queue_id, host_id, job_id, status"};

// Nobody is waited for: who holds one of these tasks may be waiting for us.
constexpr sql::Command<std::int64_t(UserId, Instant, int)> let_go_of{
    "queue.let_go",
    sql::sqlite("update task_queue set scheduled_at = $2, rank = $2 + (rank - scheduled_at)"
                " where id in (select id from task_queue where user_id = $1 and status = 'scheduled' and scheduled_at > $2"
                "  and error_message like 'kept back: %' limit $3) returning queue_id"),
    sql::postgres("with held as materialized (select id from task_queue where user_id = $1 and status = 'scheduled'"
                  "  and scheduled_at > $2 and error_message like 'kept back: %' limit $3 for update skip locked)"
                  " update task_queue t set scheduled_at = $2,"
                  "  rank = rank + (extract(epoch from $2::timestamptz - scheduled_at) * 1000000)::bigint"
                  " from held where t.id = held.id returning t.queue_id::bigint")};

}  // namespace

std::vector<MovedTask> put_back(Write& tx, std::span<const KeptBack> tasks) {
  const auto now = tx.now();
  std::vector<MovedTask> moved;
  for (const auto& task : tasks) {
    const auto row = task.until > now
                         ? tx.one(put_back_one, {task.id, task.until, std::string(kept_back_words) + task.reason})
                         : tx.one(put_back_now, task.id);
    if (row) moved.push_back(*row);
  }
  return moved;
}

std::int64_t let_go(Write& tx, UserId user, int limit) {
  if (!tx.actor().sees(user)) return 0;
  const auto queues = tx.all(let_go_of, user, tx.now(), limit);
  for (const auto queue : std::set<std::int64_t>(queues.begin(), queues.end())) tx.notify(wake_channel({queue}));
  return static_cast<std::int64_t>(queues.size());
}

}  // namespace quarry::queue
