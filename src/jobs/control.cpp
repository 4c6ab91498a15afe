#include "quarry/jobs/control.hpp"

#include <fmt/format.h>

#include "jobs/owner.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"

namespace quarry::jobs {
namespace {

struct PauseStanding {
  JobStatus status;
  bool is_paused;
  UserId user_id;
  std::int64_t open_tasks;
};
BOOST_DESCRIBE_STRUCT(PauseStanding, (), (status, is_paused, user_id, open_tasks))

constexpr sql::Query<PauseStanding(JobId)> lock_standing{
    "jobs.lock_standing",
    sql::sqlite("select status, is_paused, user_id, open_tasks from scraping_jobs where id = $1 and deleted_at is null"),
    sql::postgres("select status, is_paused, user_id, open_tasks from scraping_jobs where id = $1 and deleted_at is null"
                  " for no key update")};

/// `$3` is now. A job that runs again forgets that it had ended, and why, but counts it. What has ended waits for nothing.
constexpr sql::Command<void(JobId, JobStatus, Instant, std::optional<std::string>)> set_status{
    "jobs.set_status",
    sql::sqlite("update scraping_jobs set status = $2, updated_at = $3,"
                " attempt = attempt + ($2 = 'running' and completed_at is not null),"
                " started_at = case when $2 = 'running' then coalesce(started_at, $3) else started_at end,"
                " completed_at = case when $2 = 'running' or $2 = 'pending' then null else $3 end,"
                " cancel_requested_at = case when $2 = 'cancelled' then $3 else cancel_requested_at end,"
                " is_paused = is_paused and completed_at is null and ($2 = 'running' or $2 = 'pending'),"
                " error_message = $4 where id = $1"),
    sql::postgres("update scraping_jobs set status = $2, updated_at = $3,"
                  " attempt = attempt + ($2::job_status = 'running' and completed_at is not null)::int,"
                  " started_at = case when $2::job_status = 'running' then coalesce(started_at, $3) else started_at end,"
                  " completed_at = case when $2::job_status in ('running', 'pending') then null else $3::timestamptz end,"
                  " cancel_requested_at = case when $2::job_status = 'cancelled' then $3 else cancel_requested_at end,"
                  " is_paused = is_paused and completed_at is null and $2::job_status in ('running', 'pending'),"
                  " error_message = $4 where id = $1")};
constexpr sql::Command<void(JobId, bool, Instant)> set_paused{
    "jobs.set_paused", "update scraping_jobs set is_paused = $2, updated_at = $3 where id = $1 and is_paused <> $2"};

constexpr sql::Query<std::int64_t(JobId)> count_lost{
    "jobs.count_lost", "select count(*) from task_queue where job_id = $1 and (status = 'failed' or status = 'dead')"};

PauseStanding lock_open(Write& tx, JobId job) {
  const auto found = tx.one(lock_standing, job);
  if (!found || !tx.actor().sees(found->user_id)) throw_no_job(job);
  return *found;
}

[[noreturn]] void refuse(JobId job, JobStatus from, std::string_view remedy) {
  throw Error(ErrorCode::conflict, fmt::format("job {} is {}: {}", to_string(job), to_string(from), remedy));
}

/// What is about to be forgotten stays in the job's log.
void note_attempt(Write& tx, JobId job) {
  const auto ended = get(tx, job);
  append_log(tx, job,
             {.level = LogLevel::info,
              .message = fmt::format("attempt {} ended {}: {} of {} items failed{}; attempt {} begins", ended.attempt,
                                     to_string(ended.status), ended.failed_items, ended.total_items,
                                     ended.error_message ? " (" + *ended.error_message + ")" : "", ended.attempt + 1),
              .metadata = Json{fmt::format(R"({{"attempt":{},"status":"{}","failed_items":{},"total_items":{}}})",
                                           ended.attempt, to_string(ended.status), ended.failed_items, ended.total_items)}});
}

}  // namespace

Moved cancel(Write& tx, JobId job, int limit) {
  const auto from = lock_open(tx, job).status;
  if (from != JobStatus::cancelled) {
    if (!may_become(from, JobStatus::cancelled)) refuse(job, from, "it cannot be cancelled any more");
    tx.run(set_status, job, JobStatus::cancelled, tx.now(), std::nullopt);
  }
  return queue::cancel_job(tx, job, limit);
}

Moved pause(Write& tx, JobId job, int limit) {
  const auto standing = lock_open(tx, job);
  if (!is_open(standing.status)) refuse(job, standing.status, "there is nothing left to pause");
  tx.run(set_paused, job, true, tx.now());
  return queue::pause_job(tx, job, limit);
}

Moved resume(Write& tx, JobId job, int limit) {
  const auto standing = lock_open(tx, job);
  if (!is_open(standing.status))
    refuse(job, standing.status,
           standing.status == JobStatus::cancelled ? "submit it again instead"
                                                   : "there is nothing left to resume; to try what failed again, retry it");
  tx.run(set_paused, job, false, tx.now());
  return queue::resume_job(tx, job, limit);
}

Moved retry(Write& tx, JobId job, int limit) {
  const auto standing = lock_open(tx, job);
  if (standing.status == JobStatus::cancelled) refuse(job, standing.status, "submit it again instead");
  const bool runs_again = !is_open(standing.status);
  if (runs_again) {
    if (tx.value(count_lost, job) == 0)
      refuse(job, standing.status, "none of its tasks failed, so there is nothing to try again");
    note_attempt(tx, job);
    // First the job, then its tasks: the queue leaves a job alone that has ended.
    tx.run(set_status, job, JobStatus::running, tx.now(), std::nullopt);
  }
  return queue::retry_job(tx, job, limit);
}

void change_status(Write& tx, JobId job, JobStatus to, const std::optional<std::string>& error) {
  const auto standing = lock_open(tx, job);
  if (!may_become(standing.status, to)) refuse(job, standing.status, fmt::format("it cannot become {}", to_string(to)));
  const bool ends = !is_open(to);
  if (ends && to != JobStatus::cancelled && standing.open_tasks > 0)
    refuse(job, standing.status,
           fmt::format("{} of its tasks have not ended, and the last one ends it; or cancel it", standing.open_tasks));
  tx.run(set_status, job, to, tx.now(), error);
  // There is nothing to cancel of a job without open tasks, and what waits for it is let go.
  if (ends && standing.open_tasks == 0) queue::cancel_job(tx, job);
}

}  // namespace quarry::jobs
