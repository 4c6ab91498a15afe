#include "quarry/queue/control.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "quarry/core/error.hpp"
#include "queue/access.hpp"
#include "queue/job_notes.hpp"
#include "queue/release_blocked.hpp"
#include "queue/transition.hpp"

namespace quarry::queue {
namespace {

constexpr TaskStatus waiting_states[] = {TaskStatus::scheduled, TaskStatus::pending, TaskStatus::blocked,
                                         TaskStatus::paused};

constexpr sql::Command<void(QueueId, bool)> pause_queue{
    "queue.set_paused", "update queues set is_paused = $2 where id = $1 and is_paused <> $2"};

// A task before its job, and nobody the other way round: who fails or finishes a task has it when it comes to the job. We
// have the job already, hence skip what others have in their hands, and say that there is something left.
/// `$2` the state they are in, `$3` the state they go to when nothing speaks against it, `$4` now. A task that is to wait
/// goes back to `scheduled` or `pending`, as its time says; one that ends gets its time of ending.
constexpr sql::Command<MovedTask(JobId, TaskStatus, TaskStatus, Instant, int)> move_tasks_of_job{
    "queue.move_job",
    sql::sqlite("update task_queue set status = case when $3 = 'pending' and scheduled_at > $4 then 'scheduled' else $3 end,"
                " completed_at = case when $3 = 'cancelled' then $4 end"
                " where id in (select id from task_queue where job_id = $1 and status = $2 limit $5)"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres(
        "with chosen as materialized (select id from task_queue where job_id = $1 and status = $2 limit $5"
        " for update skip locked)"
        " update task_queue t set status = case when $3::task_status = 'pending' and scheduled_at > $4 then 'scheduled'"
        "  else $3::task_status end,"
        " completed_at = case when $3::task_status = 'cancelled' then $4::timestamptz end"
        " from chosen where t.id = chosen.id returning t.id, t.queue_id, t.host_id, t.job_id, t.status")};

constexpr sql::Command<MovedTask(TaskId, Instant)> cancel_waiting{
    "queue.cancel",
    "update task_queue set status = 'cancelled', completed_at = $2"
    " where id = $1 and status in ('scheduled', 'pending', 'blocked', 'paused') returning id, queue_id, host_id, job_id, "
    "status"};
constexpr sql::Query<TaskStatus(TaskId)> lock_status_of{
    "queue.lock_status_of", sql::sqlite("select status from task_queue where id = $1"),
    sql::postgres("select status from task_queue where id = $1 for update")};
constexpr sql::Command<void(TaskId)> request_cancel{
    "queue.request_cancel", "update task_queue set cancel_requested = true where id = $1 and status = 'processing'"};
constexpr sql::Command<void(JobId)> request_cancel_of_job{
    "queue.request_cancel_job",
    sql::sqlite("update task_queue set cancel_requested = true where job_id = $1 and status = 'processing'"),
    sql::postgres("with chosen as materialized (select id from task_queue where job_id = $1 and status = 'processing'"
                  "  and not cancel_requested for update skip locked)"
                  " update task_queue t set cancel_requested = true from chosen where t.id = chosen.id")};

// One look each at the index of a job's states.
constexpr sql::Query<bool(JobId)> any_to_cancel{
    "queue.any_to_cancel",
    "select exists (select 1 from task_queue where job_id = $1 and status = 'scheduled')"
    " or exists (select 1 from task_queue where job_id = $1 and status = 'pending')"
    " or exists (select 1 from task_queue where job_id = $1 and status = 'blocked')"
    " or exists (select 1 from task_queue where job_id = $1 and status = 'paused')"
    " or exists (select 1 from task_queue where job_id = $1 and status = 'processing' and not cancel_requested)"};
constexpr sql::Query<bool(JobId)> any_to_pause{
    "queue.any_to_pause",
    "select exists (select 1 from task_queue where job_id = $1 and status = 'scheduled')"
    " or exists (select 1 from task_queue where job_id = $1 and status = 'pending')"};
constexpr sql::Query<bool(JobId)> any_to_resume{
    "queue.any_to_resume", "select exists (select 1 from task_queue where job_id = $1 and status = 'paused')"};
constexpr sql::Query<bool(JobId)> any_to_purge{
    "queue.any_to_purge", "select exists (select 1 from task_queue where job_id = $1 and completed_at is not null)"};

constexpr sql::Query<std::int64_t(JobId)> find_open_tasks{"queue.open_tasks_of_job",
                                                          "select open_tasks from scraping_jobs where id = $1"};

// Another task has got its key meanwhile. Both columns of its index, and the index's own condition.
#define QUARRY_NO_TWIN                                                                 \
  " and not exists (select 1 from task_queue o where o.queue_id = task_queue.queue_id" \
  " and o.unique_key = task_queue.unique_key and o.unique_key is not null"             \
  " and (not o.unique_while_active or o.completed_at is null) and o.id <> task_queue.id)"

constexpr sql::Command<MovedTask(Instant, TaskId)> again_one{
    "queue.retry_task",
    sql::sqlite(
        "update task_queue set status = 'pending', scheduled_at = $1, rank = $1 + (rank - scheduled_at), retry_count = 0,"
        " stall_count = 0, cancel_requested = 0, completed_at = null, started_at = null, worker = null"
        " where id = $2" QUARRY_NO_TWIN " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("update task_queue set status = 'pending', scheduled_at = $1,"
                  " rank = rank + (extract(epoch from $1::timestamptz - scheduled_at) * 1000000)::bigint, retry_count = 0,"
                  " stall_count = 0, cancel_requested = false, completed_at = null, started_at = null, worker = null"
                  " where id = $2" QUARRY_NO_TWIN " returning id, queue_id, host_id, job_id, status")};

struct Ended {
  TaskId id;
  TaskStatus status;
  std::optional<JobId> job_id;
};
BOOST_DESCRIBE_STRUCT(Ended, (), (id, status, job_id))

constexpr sql::Query<Ended(TaskId)> lock_ended{
    "queue.lock_ended", sql::sqlite("select id, status, job_id from task_queue where id = $1"),
    sql::postgres("select id, status, job_id from task_queue where id = $1 for update")};

/// A job whose work is not done any more.
struct Closed {
  bool is_cancelled;
  bool is_deleted;
  bool any() const { return is_cancelled || is_deleted; }
};
BOOST_DESCRIBE_STRUCT(Closed, (), (is_cancelled, is_deleted))

// Locked, so that a cancellation comes before this or finds the tasks open.
constexpr sql::Query<Closed(JobId)> lock_closed{
    "queue.lock_closed",
    sql::sqlite("select status = 'cancelled' as is_cancelled, deleted_at is not null as is_deleted from scraping_jobs"
                " where id = $1"),
    sql::postgres("select status = 'cancelled' as is_cancelled, deleted_at is not null as is_deleted from scraping_jobs"
                  " where id = $1 for no key update")};

// A look-up by key for each task: as a join it would read all jobs there are.
#define QUARRY_OF_A_CLOSED_JOB                                                               \
  "coalesce((select j.status = 'cancelled' or j.deleted_at is not null from scraping_jobs j" \
  " where j.id = task_queue.job_id), false)"

constexpr sql::Query<Ended(QueueId, TaskStatus, int)> ended_in_queue{
    "queue.ended",
    sql::sqlite("select id, status, job_id from task_queue where queue_id = $1 and status = $2"
                " and status in ('completed', 'failed', 'cancelled', 'dead')" QUARRY_NO_TWIN
                " and not " QUARRY_OF_A_CLOSED_JOB " order by completed_at, id limit $3"),
    sql::postgres("select id, status, job_id from task_queue where queue_id = $1 and status = $2"
                  " and status in ('completed', 'failed', 'cancelled', 'dead')" QUARRY_NO_TWIN
                  " and not " QUARRY_OF_A_CLOSED_JOB " order by completed_at, id limit $3 for update "
                  "skip locked")};
constexpr sql::Query<std::int64_t(QueueId, TaskStatus, int)> count_of_closed_jobs{
    "queue.count_beyond_redrive",
    "select count(*) from (select 1 from task_queue where queue_id = $1 and status = $2 and job_id is not null"
    " and " QUARRY_OF_A_CLOSED_JOB " limit $3) o"};
constexpr sql::Query<Ended(JobId, int)> ended_in_job{
    "queue.ended_of_job",
    sql::sqlite("select id, status, job_id from task_queue where job_id = $1 and status in ('failed', 'dead')" QUARRY_NO_TWIN
                " order by id limit $2"),
    sql::postgres(
        "select id, status, job_id from task_queue where job_id = $1 and status in ('failed', 'dead')" QUARRY_NO_TWIN
        " order by id limit $2 for update skip locked")};

constexpr sql::Command<MovedTask(Instant, int)> purge{
    "queue.purge_ended",
    sql::sqlite("delete from task_queue where id in (select id from task_queue where status in ('completed', 'failed', "
                "'cancelled', 'dead')"
                " and completed_at < $1 and not exists (select 1 from scraping_jobs j where j.id = job_id"
                "  and (j.status = 'pending' or j.status = 'running')) order by completed_at limit $2) returning id, "
                "queue_id, host_id, job_id, status"),
    sql::postgres(
        "with old as materialized (select id from task_queue where status in ('completed', 'failed', 'cancelled', 'dead')"
        " and completed_at < $1 and not exists (select from scraping_jobs j where j.id = job_id"
        "  and j.status in ('pending', 'running')) order by completed_at limit $2 for update skip locked)"
        " delete from task_queue t using old where t.id = old.id returning t.id, t.queue_id, t.host_id, t.job_id, "
        "t.status")};

constexpr sql::Command<MovedTask(JobId, int)> purge_of_job{
    "queue.purge_job",
    sql::sqlite(
        "delete from task_queue where id in (select id from task_queue where job_id = $1 and completed_at is not null"
        " order by id limit $2) returning id, queue_id, host_id, job_id, status"),
    sql::postgres("with old as materialized (select id from task_queue where job_id = $1 and completed_at is not null"
                  " order by id limit $2 for update skip locked)"
                  " delete from task_queue t using old where t.id = old.id returning t.id, t.queue_id, t.host_id, t.job_id, "
                  "t.status")};

std::int64_t remove(Write& tx, std::span<const MovedTask> tasks) {
  Effects effects;
  for (const auto& task : tasks) effects.removed(task.refs(), task.status);
  effects.apply(tx);
  return static_cast<std::int64_t>(tasks.size());
}

std::int64_t move_tasks(Write& tx, JobId job, std::span<const TaskStatus> from, TaskStatus to, int limit) {
  std::int64_t moved = 0;
  for (const auto state : from) {
    const auto tasks = tx.all(move_tasks_of_job, job, state, to, tx.now(), limit - static_cast<int>(moved));
    settle(tx, tasks, state);
    moved += static_cast<std::int64_t>(tasks.size());
    if (moved >= limit) break;
  }
  return moved;
}

/// Whether `moved` was all. Less than the limit, and something left: others have it.
Moved judge(Read& tx, JobId job, std::int64_t moved, int limit, const sql::Query<bool(JobId)>& any_left) {
  if (moved >= limit) return {moved, false, false};
  const bool held = tx.value(any_left, job);
  return {moved, !held, held};
}

Closed closed(Write& tx, JobId job) { return tx.one(lock_closed, job).value_or(Closed{}); }

/// The jobs of tasks that are ours already, in the order in which everybody takes jobs.
std::set<JobId> closed_jobs(Write& tx, std::span<const Ended> tasks) {
  std::set<JobId> jobs;
  for (const auto& task : tasks)
    if (task.job_id) jobs.insert(*task.job_id);
  std::erase_if(jobs, [&](const JobId& job) { return !closed(tx, job).any(); });
  return jobs;
}

[[noreturn]] void refuse_closed(JobId job, const Closed& how) {
  throw Error(ErrorCode::conflict,
              fmt::format("job {} is {}: its work is not done any more; {}", to_string(job),
                          how.is_cancelled ? "cancelled" : "deleted",
                          how.is_cancelled ? "submit the job again instead" : "undelete the job first"));
}

/// Returns how many: a task is left as it is when its job is cancelled or deleted, or when another one has its unique key by
/// now. The tasks are ours already; then come their jobs, then the rows around all of them, in the order that everybody
/// keeps.
std::int64_t run_again(Write& tx, std::span<const Ended> tasks) {
  const auto closed = closed_jobs(tx, tasks);
  std::map<TaskId, TaskStatus> ended_as;
  std::vector<MovedTask> moved;
  for (const auto& task : tasks) {
    if (task.job_id && closed.contains(*task.job_id)) continue;
    if (auto again = tx.one(again_one, tx.now(), task.id)) moved.push_back(*std::move(again));
    ended_as.emplace(task.id, task.status);
  }
  pause_with_their_jobs(tx, moved);
  settle(tx, moved, [&](const MovedTask& task) { return ended_as.at(task.id); });
  return static_cast<std::int64_t>(moved.size());
}

}  // namespace

bool set_paused(Write& tx, QueueId queue, bool paused) {
  require_sees_all(tx, "pausing a queue");
  const bool changed = tx.run(pause_queue, queue, paused) > 0;
  if (changed && !paused) tx.notify(wake_channel(queue));
  return changed;
}

CancelOutcome cancel_task(Write& tx, TaskId task) {
  if (!sees_task(tx, task)) return CancelOutcome::not_found;
  const auto status = tx.one(lock_status_of, task);
  if (!status) return CancelOutcome::not_found;
  if (*status == TaskStatus::processing) {
    tx.run(request_cancel, task);
    return CancelOutcome::requested;
  }
  const auto moved = tx.one(cancel_waiting, task, tx.now());
  if (!moved) return CancelOutcome::already_ended;
  settle(tx, {*moved}, *status);
  return CancelOutcome::cancelled;
}

Moved cancel_job(Write& tx, JobId job, int limit) {
  if (!sees_job(tx, job)) return {};
  const auto moved = move_tasks(tx, job, waiting_states, TaskStatus::cancelled, limit);
  // Afterwards: a task that was being claimed meanwhile is running now.
  tx.run(request_cancel_of_job, job);
  // With its last task a job lets those go that wait for it. This one may never have had any.
  if (tx.one(find_open_tasks, job) == 0) {
    settle(tx, release_jobs_that_waited_for(tx, job), TaskStatus::blocked);
    note_job_ended(tx, job, tx.now());
  }
  return judge(tx, job, moved, limit, any_to_cancel);
}

Moved pause_job(Write& tx, JobId job, int limit) {
  if (!sees_job(tx, job)) return {};
  constexpr TaskStatus from[] = {TaskStatus::scheduled, TaskStatus::pending};
  return judge(tx, job, move_tasks(tx, job, from, TaskStatus::paused, limit), limit, any_to_pause);
}

Moved resume_job(Write& tx, JobId job, int limit) {
  if (!sees_job(tx, job)) return {};
  constexpr TaskStatus from[] = {TaskStatus::paused};
  return judge(tx, job, move_tasks(tx, job, from, TaskStatus::pending, limit), limit, any_to_resume);
}

bool retry_task(Write& tx, TaskId task) {
  if (!sees_task(tx, task)) return false;
  const auto one = tx.one(lock_ended, task);
  if (!one || is_open(one->status) || one->status == TaskStatus::completed) return false;
  if (one->job_id)
    if (const auto how = closed(tx, *one->job_id); how.any()) refuse_closed(*one->job_id, how);
  return run_again(tx, std::span(&*one, 1)) > 0;
}

Moved redrive(Write& tx, QueueId queue, TaskStatus ended_as, int limit) {
  require_sees_all(tx, "redriving a queue");
  if (is_open(ended_as)) throw_invalid("only tasks that have ended can be redriven: failed, dead, cancelled or completed");
  const auto tasks = tx.all(ended_in_queue, queue, ended_as, limit);
  return {.tasks = run_again(tx, tasks), .done = std::ssize(tasks) < limit};
}

std::int64_t count_beyond_redrive(Read& tx, QueueId queue, TaskStatus ended_as) {
  require_sees_all(tx, "redriving a queue");
  return tx.value(count_of_closed_jobs, queue, ended_as, move_limit);
}

Moved retry_job(Write& tx, JobId job, int limit) {
  if (!sees_job(tx, job)) return {};
  if (const auto how = closed(tx, job); how.any()) refuse_closed(job, how);
  const auto tasks = tx.all(ended_in_job, job, limit);
  return {.tasks = run_again(tx, tasks), .done = std::ssize(tasks) < limit};
}

std::int64_t purge_ended(Write& tx, Instant before, int limit) {
  require_sees_all(tx, "purging ended tasks");
  return remove(tx, tx.all(purge, before, limit));
}

Moved purge_job(Write& tx, JobId job, int limit) {
  if (!sees_job(tx, job)) return {};
  return judge(tx, job, remove(tx, tx.all(purge_of_job, job, limit)), limit, any_to_purge);
}

}  // namespace quarry::queue
