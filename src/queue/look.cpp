/// The reading half of control.hpp.

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/queue/control.hpp"
#include "queue/access.hpp"
#include "queue/columns.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<Task(TaskId)> task_by_id{"queue.find_task",
                                              "select " QUARRY_TASK_COLUMNS " from task_queue where id = $1"};

constexpr sql::Query<Task(QueueId, TaskStatus, TaskId, int)> list_by_status{
    "queue.list_tasks",
    "select " QUARRY_TASK_COLUMNS " from task_queue where queue_id = $1 and status = $2 and id > $3 order by id limit $4"};

constexpr sql::Query<Task(QueueId, TaskStatus, TaskId, int, UserId)> list_own{
    "queue.list_own_tasks",
    "select " QUARRY_TASK_COLUMNS
    " from task_queue where queue_id = $1 and status = $2 and id > $3 and user_id = $5 order by id limit $4"};

constexpr sql::Query<Attempt(TaskId)> list_attempts{"queue.attempts_of",
                                                    "select id, attempt, outcome, worker, error_message, started_at, "
                                                    "ended_at from task_attempts where task_id = $1 order by id"};

struct StatusCount {
  TaskStatus status;
  std::int64_t n;
};
BOOST_DESCRIBE_STRUCT(StatusCount, (), (status, n))

constexpr sql::Query<StatusCount(QueueId)> sum_counts{
    "queue.counts", sql::sqlite("select status, sum(n) as n from queue_counts where queue_id = $1 group by status"),
    sql::postgres("select status, sum(n)::bigint as n from queue_counts where queue_id = $1 group by status")};

constexpr sql::Query<QueueInfo()> all_queues{"queue.list", "select id, name, is_paused from queues order by name"};

// Tasks with a host are found through the hosts that are due, as claiming finds them; a thousand hosts are enough to tell.
constexpr sql::Query<std::optional<Instant>(QueueId, Instant)> oldest{
    "queue.oldest_pending",
    "select min(at) from (select (select scheduled_at from task_queue where queue_id = $1 and status = 'pending' and "
    "host_id is null"
    "  order by queue_id, rank, id limit 1) as at"
    " union all select (select scheduled_at from task_queue t where t.host_id = h.id and t.queue_id = $1 and t.status = "
    "'pending'"
    "  order by t.host_id, t.queue_id, t.rank, t.id limit 1)"
    "  from (select id from hosts where due_at is not null and due_at <= $2 order by due_at limit 1000) h) o"};

}  // namespace

std::optional<Task> find_task(Read& tx, TaskId task) {
  auto found = tx.one(task_by_id, task);
  if (found && !tx.actor().sees_all() && !(found->user_id && tx.actor().sees(*found->user_id))) found.reset();
  return found;
}

std::vector<Task> list_tasks(Read& tx, QueueId queue, TaskStatus status, TaskId after, int limit) {
  check_list_limit(limit);
  if (after < 0) throw_invalid(fmt::format("{} is no task to go on behind: say the last id of the page before", after));
  if (!tx.actor().sees_all()) return tx.all(list_own, queue, status, after, limit, *tx.actor().user_id());
  return tx.all(list_by_status, queue, status, after, limit);
}

std::vector<Attempt> attempts_of(Read& tx, TaskId task) {
  return sees_task(tx, task) ? tx.all(list_attempts, task) : std::vector<Attempt>{};
}

std::int64_t Counts::open() const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < by_status.size(); ++i)
    if (is_open(static_cast<TaskStatus>(i))) sum += by_status[i];
  return sum;
}

Counts counts(Read& tx, QueueId queue) {
  Counts counts;
  for (const auto& row : tx.all(sum_counts, queue)) counts.by_status[static_cast<std::size_t>(row.status)] = row.n;
  return counts;
}

std::vector<QueueInfo> list_queues(Read& tx) { return tx.all(all_queues); }

std::optional<Instant> oldest_pending(Read& tx, QueueId queue) {
  require_sees_all(tx, "how long a queue's tasks wait");
  return tx.value(oldest, queue, tx.now());
}

}  // namespace quarry::queue
