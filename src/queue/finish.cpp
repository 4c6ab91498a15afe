#include "quarry/queue/finish.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"
#include "queue/access.hpp"
#include "queue/lease_columns.hpp"
#include "queue/transition.hpp"

namespace quarry::queue {
namespace {

struct FinishRow {
  TaskId id;
  std::int64_t token;
  Instant now;
  std::optional<Json> result;
};
BOOST_DESCRIBE_STRUCT(FinishRow, (), (id, token, now, result))

// `lease_until is not null` says `status = 'processing'` (a CHECK holds them together) without inviting PostgreSQL's planner
// to the index of all leases: it expects few of them, and joined a hundred tasks by looking at ten thousand pairs. The token
// is what keeps a late worker out: an expired lease that was taken back and given away again has another one. On SQLite a
// look and an update, because RETURNING builds a table of its own on every execution.
constexpr sql::Query<MovedTask(TaskId, std::int64_t)> find_lease{
    "queue.find_lease",
    "select id, queue_id, host_id, job_id, 'completed' as status from task_queue"
    " where id = $1 and lease_token = $2 and lease_until is not null"};
constexpr sql::Command<void(FinishRow)> finish_one{
    "queue.finish",
    "update task_queue set status = 'completed', completed_at = $3, lease_until = null, result = $4, error_message = null"
    " where id = $1 and lease_token = $2"};

constexpr sql::Command<MovedTask(std::vector<std::int64_t>, std::vector<std::int64_t>, Instant, std::vector<std::string>)>
    finish_many{"queue.finish_many", sql::sqlite(""),
                sql::postgres("update task_queue t set status = 'completed', completed_at = $3, lease_until = null,"
                              " result = nullif(f.result, '')::jsonb, error_message = null"
                              " from unnest($1::bigint[], $2::bigint[], $4::text[]) as f (id, token, result)"
                              " where t.id = f.id and t.lease_token = f.token and t.lease_until is not null"
                              " returning t.id, t.queue_id, t.host_id, t.job_id, t.status")};

/// A lease that ends otherwise than by success.
struct EndRow {
  TaskId id;
  std::int64_t token;
  TaskStatus status;           ///< pending, scheduled, failed, dead or cancelled
  std::optional<Instant> due;  ///< when it may run again; nothing keeps the time and rank it had
  int retries;                 ///< added to `retry_count`
  std::optional<std::string> error;
  std::optional<Instant> completed_at;
};
BOOST_DESCRIBE_STRUCT(EndRow, (), (id, token, status, due, retries, error, completed_at))

constexpr sql::Command<MovedTask(EndRow)> end_lease{
    "queue.end_lease",
    sql::sqlite("update task_queue set status = $3, lease_until = null, worker = null,"
                " scheduled_at = coalesce($4, scheduled_at),"
                " rank = case when $4 is null then rank else $4 + (rank - scheduled_at) end,"
                " retry_count = retry_count + $5, error_message = coalesce($6, error_message), completed_at = $7,"
                " started_at = case when $7 is null then null else started_at end"
                " where id = $1 and lease_token = $2 and lease_until is not null"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("update task_queue set status = $3, lease_until = null, worker = null,"
                  " scheduled_at = coalesce($4, scheduled_at),"
                  " rank = case when $4::timestamptz is null then rank else"
                  "  rank + (extract(epoch from $4::timestamptz - scheduled_at) * 1000000)::bigint end,"
                  " retry_count = retry_count + $5, error_message = coalesce($6, error_message), completed_at = $7,"
                  " started_at = case when $7::timestamptz is null then null else started_at end"
                  " where id = $1 and lease_token = $2 and lease_until is not null"
                  " returning id, queue_id, host_id, job_id, status")};

struct AttemptRow {
  TaskId id;
  std::int64_t token;
  std::string_view outcome;
  std::optional<std::string> error;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(AttemptRow, (), (id, token, outcome, error, now))

// Before the lease ends, while the task still says who worked on it and since when.
constexpr sql::Command<void(AttemptRow)> record_attempt{
    "queue.record_attempt",
    "insert into task_attempts (task_id, attempt, lease_token, worker, outcome, error_message, started_at, ended_at)"
    " select id, retry_count + 1, lease_token, worker, $3, $4, started_at, $5 from task_queue"
    " where id = $1 and lease_token = $2 and lease_until is not null"};

constexpr sql::Query<std::int64_t(TaskId)> find_token{"queue.find_token",
                                                      "select lease_token from task_queue where id = $1"};

/// A worker that has lost a task and got it again may name both leases in one call: the token tells which of them was good.
template <class Named>
Refused refused_of(Read& tx, std::span<const Named> asked, const std::vector<MovedTask>& done) {
  Refused refused;
  if (done.size() == asked.size()) return refused;
  std::unordered_map<TaskId, int> times;
  for (const auto& one : asked) ++times[one.id];
  std::unordered_set<TaskId> ended;
  for (const auto& task : done) ended.insert(task.id);
  for (const auto& one : asked) {
    const bool good = ended.contains(one.id) && (times[one.id] == 1 || tx.value(find_token, one.id) == one.lease_token);
    if (!good) refused.ids.push_back(one.id);
  }
  return refused;
}

/// Tasks are taken in the order of their ids, by heartbeats too.
template <class Named>
std::vector<const Named*> in_order(std::span<const Named> tasks) {
  std::vector<const Named*> sorted;
  sorted.reserve(tasks.size());
  for (const auto& task : tasks) sorted.push_back(&task);
  std::ranges::sort(sorted, {}, [](const Named* task) { return task->id; });
  return sorted;
}

struct Budget {
  int retry_count;
  int max_retries;
  bool cancel_requested;
};
BOOST_DESCRIBE_STRUCT(Budget, (), (retry_count, max_retries, cancel_requested))

// Locked, so that a request to cancel comes before the decision or finds the task ended.
constexpr sql::Query<Budget(TaskId, std::int64_t)> find_budget{
    "queue.find_budget",
    sql::sqlite("select retry_count, max_retries, cancel_requested from task_queue"
                " where id = $1 and lease_token = $2 and lease_until is not null"),
    sql::postgres("select retry_count, max_retries, cancel_requested from task_queue"
                  " where id = $1 and lease_token = $2 and lease_until is not null for update")};

/// Ends one lease after another: failures are few beside successes, and each has its own fate, which `decide` names. A task
/// that was to be cancelled ends here, whatever was meant to become of it.
template <class Named, class Decide>
std::vector<MovedTask> end_leases(Write& tx, std::span<const Named> tasks, std::string_view outcome, Decide decide) {
  const auto now = tx.now();
  std::vector<MovedTask> done;
  for (const auto* task : in_order(tasks)) {
    const auto budget = tx.one(find_budget, task->id, task->lease_token);
    if (!budget) continue;
    EndRow row = decide(*task, *budget);
    if (budget->cancel_requested) row = {row.id, row.token, TaskStatus::cancelled, {}, 0, row.error, now};
    tx.run(record_attempt, {row.id, row.token, budget->cancel_requested ? "cancelled" : outcome, row.error, now});
    if (const auto moved = tx.one(end_lease, row)) done.push_back(*moved);
  }
  pause_with_their_jobs(tx, done);
  settle(tx, done, TaskStatus::processing);
  return done;
}

void check(std::span<const Failure> tasks) {
  using std::chrono::milliseconds;
  for (const auto& task : tasks)
    if (task.retry_after && (*task.retry_after < milliseconds(0) || *task.retry_after > std::chrono::hours(24 * 366)))
      throw_invalid(fmt::format("retry_after of {} ms: it must be from 0 to a year", task.retry_after->count()));
}

constexpr std::size_t error_bytes_max = 10'000;

/// What went wrong may hold anything, and that it cannot be stored as it is must not be what is told of it.
std::string storable(std::string_view error) {
  std::string clean;
  append_clean(clean, cut_at_character(error, error_bytes_max));
  return std::string(cut_at_character(clean, error_bytes_max));
}

constexpr sql::Query<TaskId(std::vector<std::int64_t>, std::vector<std::int64_t>)> lock_leases{
    "queue.hold_many", sql::sqlite(""),
    sql::postgres(
        "select t.id from task_queue t join unnest($1::bigint[], $2::bigint[]) as l (id, token)"
        " on t.id = l.id and t.lease_token = l.token where t.lease_until is not null order by t.id for update of t")};

}  // namespace

std::vector<TaskId> hold(Write& tx, std::span<const LeaseRef> leases) {
  require_sees_all(tx, "a worker's part");
  std::vector<TaskId> held;
  if (tx.engine() == Engine::sqlite) {
    for (const auto& lease : leases)
      if (tx.one(find_lease, lease.id, lease.lease_token)) held.push_back(lease.id);
    return held;
  }
  const LeaseColumns many(leases);
  return tx.all(lock_leases, many.ids, many.tokens);
}

Refused finish(Write& tx, std::span<const Finish> tasks) {
  require_sees_all(tx, "a worker's part");
  const auto now = tx.now();
  std::vector<MovedTask> done;
  if (tx.engine() == Engine::sqlite) {
    for (const auto& task : tasks) {
      const auto lease = tx.one(find_lease, task.id, task.lease_token);
      if (!lease) continue;
      tx.run(finish_one, {task.id, task.lease_token, now, task.result});
      done.push_back(*lease);
    }
  } else {
    std::vector<std::int64_t> ids, tokens;
    std::vector<std::string> results;
    for (const auto* task : in_order(tasks)) {
      ids.push_back(task->id);
      tokens.push_back(task->lease_token);
      results.push_back(task->result ? task->result->text : std::string());
    }
    if (!ids.empty()) done = tx.all(finish_many, ids, tokens, now, results);
  }
  settle(tx, done, TaskStatus::processing);
  return refused_of(tx, tasks, done);
}

void finish_or_throw(Write& tx, std::span<const Finish> tasks) {
  const auto refused = finish(tx, tasks);
  if (refused.ids.empty()) return;
  throw Error(ErrorCode::conflict,
              fmt::format("the lease of task {} was lost: its work is undone here and done elsewhere", refused.ids.front()));
}

Refused fail(Write& tx, std::span<const Failure> tasks, const RetryPolicy& policy) {
  require_sees_all(tx, "a worker's part");
  check(tasks);
  const auto now = tx.now();
  const auto decide = [&](const Failure& task, const Budget& budget) {
    EndRow row{task.id, task.lease_token, TaskStatus::scheduled, {}, 0, storable(task.error), {}};
    if (task.permanent || budget.retry_count >= budget.max_retries) {
      row.status = task.permanent ? TaskStatus::failed : TaskStatus::dead;
      row.completed_at = now;
    } else {
      row.retries = 1;
      row.due = now + task.retry_after.value_or(retry_delay(policy, budget.retry_count, tx.random()));
      if (*row.due <= now) row.status = TaskStatus::pending;
    }
    return row;
  };
  return refused_of(tx, tasks, end_leases(tx, tasks, "failed", decide));
}

Refused release(Write& tx, std::span<const LeaseRef> tasks) {
  require_sees_all(tx, "a worker's part");
  const auto decide = [](const LeaseRef& task, const Budget&) {
    return EndRow{task.id, task.lease_token, TaskStatus::pending, {}, 0, {}, {}};
  };
  return refused_of(tx, tasks, end_leases(tx, tasks, "released", decide));
}

}  // namespace quarry::queue
