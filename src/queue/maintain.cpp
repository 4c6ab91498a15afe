#include "quarry/queue/maintain.hpp"

#include <algorithm>

#include "queue/access.hpp"
#include "queue/transition.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Command<MovedTask(Instant, int)> promote{
    "queue.promote_due",
    sql::sqlite(
        "update task_queue set status = 'pending' where id in"
        " (select id from task_queue where status = 'scheduled' and scheduled_at <= $1 order by scheduled_at limit $2)"
        " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("with due as materialized (select id from task_queue where status = 'scheduled' and scheduled_at <= $1"
                  " order by scheduled_at limit $2 for update skip locked)"
                  " update task_queue t set status = 'pending' from due where t.id = due.id"
                  " returning t.id, t.queue_id, t.host_id, t.job_id, t.status")};

// The attempt is recorded from the row as it was. Both statements see the same expired leases: SQLite has one writer, and
// PostgreSQL does it in one statement.
constexpr sql::Command<void(Instant, int)> record_stalls{
    "queue.record_stalls",
    sql::sqlite("insert into task_attempts (task_id, attempt, lease_token, worker, outcome, started_at, ended_at)"
                " select id, retry_count + 1, lease_token, worker, 'stalled', started_at, $1 from task_queue"
                " where status = 'processing' and lease_until < $1 order by lease_until limit $2"),
    sql::postgres("")};

constexpr sql::Command<MovedTask(Instant, int)> reap{
    "queue.reap_expired",
    sql::sqlite("update task_queue set status = case when cancel_requested then 'cancelled'"
                "  when stall_count >= max_stalls then 'dead' else 'pending' end,"
                " completed_at = case when cancel_requested or stall_count >= max_stalls then $1 end,"
                " error_message = case when stall_count >= max_stalls then 'its workers died or hung too often' else "
                "error_message end,"
                " stall_count = stall_count + 1, lease_until = null, worker = null"
                " where id in (select id from task_queue where status = 'processing' and lease_until < $1 order by "
                "lease_until limit $2)"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres(
        "with expired as materialized (select id, retry_count, lease_token, worker, started_at from task_queue"
        "  where status = 'processing' and lease_until < $1 order by lease_until limit $2 for update skip locked),"
        " recorded as (insert into task_attempts (task_id, attempt, lease_token, worker, outcome, started_at, ended_at)"
        "  select id, retry_count + 1, lease_token, worker, 'stalled', started_at, $1 from expired)"
        " update task_queue t set status = case when cancel_requested then 'cancelled'::task_status"
        "  when stall_count >= max_stalls then 'dead'::task_status else 'pending'::task_status end,"
        " completed_at = case when cancel_requested or stall_count >= max_stalls then $1::timestamptz end,"
        " error_message = case when stall_count >= max_stalls then 'its workers died or hung too often' else error_message "
        "end,"
        " stall_count = stall_count + 1, lease_until = null, worker = null"
        " from expired where t.id = expired.id"
        " returning t.id, t.queue_id, t.host_id, t.job_id, t.status")};

constexpr sql::Query<std::int64_t(Instant)> any_expired{
    "queue.any_expired",
    "select count(*) from (select 1 from task_queue where status = 'processing' and lease_until < $1 limit 1) e"};

using MomentQuery = sql::Query<std::optional<Instant>()>;
constexpr MomentQuery next_scheduled{"queue.next_scheduled",
                                     "select min(scheduled_at) from task_queue where status = 'scheduled'"};
constexpr MomentQuery next_lease_end{"queue.next_lease_end",
                                     "select min(lease_until) from task_queue where status = 'processing'"};
// SQLite is told the index: what it last knew of the table may be that it was small.
constexpr MomentQuery next_host{
    "queue.next_host", sql::sqlite("select min(due_at) from hosts indexed by idx_hosts_due where due_at is not null"),
    sql::postgres("select min(due_at) from hosts where due_at is not null")};

}  // namespace

std::int64_t promote_due(Write& tx, int limit) {
  require_sees_all(tx, "looking after the queue");
  const auto tasks = tx.all(promote, tx.now(), limit);
  settle(tx, tasks, TaskStatus::scheduled);
  return static_cast<std::int64_t>(tasks.size());
}

std::int64_t reap_expired(Write& tx, int limit) {
  require_sees_all(tx, "looking after the queue");
  const auto now = tx.now();
  if (tx.engine() == Engine::sqlite) {
    if (tx.value(any_expired, now) == 0) return 0;
    tx.run(record_stalls, now, limit);
  }
  auto tasks = tx.all(reap, now, limit);
  pause_with_their_jobs(tx, tasks);
  settle(tx, tasks, TaskStatus::processing);
  return static_cast<std::int64_t>(tasks.size());
}

std::optional<Instant> next_event(Read& tx) {
  require_sees_all(tx, "looking after the queue");
  std::optional<Instant> next;
  for (const auto* query : {&next_scheduled, &next_lease_end, &next_host})
    if (const auto at = tx.value(*query); at && (!next || *at < *next)) next = at;
  return next;
}

}  // namespace quarry::queue
