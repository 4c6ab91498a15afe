#include "quarry/jobs/change.hpp"

#include <fmt/format.h>

#include "jobs/owner.hpp"
#include "jobs/rules.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/store/patch.hpp"
#include "quarry/system/record.hpp"

namespace quarry::jobs {
namespace {

struct Standing {
  JobStatus status;
  UserId user_id;
  bool is_deleted;
  std::int64_t open_tasks;
};
BOOST_DESCRIBE_STRUCT(Standing, (), (status, user_id, is_deleted, open_tasks))

constexpr sql::Query<Standing(JobId)> lock_any{
    "jobs.lock_any",
    sql::sqlite("select status, user_id, deleted_at is not null as is_deleted, open_tasks from scraping_jobs where id = $1"),
    sql::postgres("select status, user_id, deleted_at is not null as is_deleted, open_tasks from scraping_jobs where id = $1"
                  " for no key update")};

constexpr sql::Command<void(JobId, Instant)> hide{"jobs.soft_delete",
                                                  "update scraping_jobs set deleted_at = $2, updated_at = $2 where id = $1"};
constexpr sql::Command<void(JobId, Instant)> show{
    "jobs.undelete", "update scraping_jobs set deleted_at = null, updated_at = $2 where id = $1"};

constexpr sql::Command<void(JobId, int)> purge_logs{
    "jobs.purge_logs", "delete from job_logs where id in (select id from job_logs where job_id = $1 order by id limit $2)"};
constexpr sql::Command<void(JobId)> purge_job{"jobs.purge", "delete from scraping_jobs where id = $1"};

constexpr sql::Query<JobId(Instant, int, std::optional<UserId>)> find_ended{
    "jobs.ended_before",
    "select id from scraping_jobs where completed_at < $1 and status in ('completed', 'failed', 'cancelled')"
    " and open_tasks = 0 and user_id = coalesce($3, user_id) order by completed_at, id limit $2"};
constexpr sql::Query<JobId(Instant, int, std::optional<UserId>)> find_deleted{
    "jobs.deleted_before",
    "select id from scraping_jobs where deleted_at < $1 and open_tasks = 0 and user_id = coalesce($3, user_id)"
    " order by deleted_at, id limit $2"};

Standing lock(Write& tx, JobId job) {
  const auto found = tx.one(lock_any, job);
  if (!found || !tx.actor().sees(found->user_id)) throw_no_job(job);
  return *found;
}

void require_ended(JobId job, JobStatus status, std::string_view what) {
  if (is_open(status))
    throw Error(ErrorCode::conflict,
                fmt::format("job {} is {}: cancel it before it is {}", to_string(job), to_string(status), what));
}

}  // namespace

Job update(Write& tx, JobId job, const JobChanges& changes) {
  if (changes.title) check_title(*changes.title);
  if (changes.description && *changes.description) check_description(**changes.description);
  if (changes.keywords) check_keywords(*changes.keywords);
  if (changes.expanded_keywords && *changes.expanded_keywords) check_keywords(**changes.expanded_keywords);
  if (changes.job_type) check_job_type(*changes.job_type);
  if (changes.priority) check_priority(*changes.priority);
  if (changes.config) check_config(*changes.config);
  if (changes.schema_version) check_schema_version(*changes.schema_version);
  const auto before = lock(tx, job);
  if (before.is_deleted) throw_no_job(job);
  if ((changes.job_type || changes.priority || changes.config || changes.schema_version) &&
      before.status != JobStatus::pending)
    throw Error(ErrorCode::conflict,
                fmt::format("job {} is {}: its type, priority and config can be changed while it is pending only; submit "
                            "another one",
                            to_string(job), to_string(before.status)));
  store::Patch patch("scraping_jobs");
  patch.set("title", changes.title)
      .set("description", changes.description)
      .set("keywords", changes.keywords)
      .set("expanded_keywords", changes.expanded_keywords)
      .set("job_type", changes.job_type)
      .set("priority", changes.priority)
      .set("config", changes.config)
      .set("schema_version", changes.schema_version);
  patch.apply(tx, "jobs.update", "job", job.value, "user_id", {.unchanged_since = changes.unchanged_since});
  return get(tx, job);
}

bool soft_delete(Write& tx, JobId job) {
  const auto standing = lock(tx, job);
  require_ended(job, standing.status, "deleted");
  if (standing.is_deleted || tx.run(hide, job, tx.now()) == 0) return false;
  system::record_owned(tx, "job.delete", "job", job.value, standing.user_id);
  return true;
}

bool undelete(Write& tx, JobId job) {
  const auto standing = lock(tx, job);
  if (!standing.is_deleted || tx.run(show, job, tx.now()) == 0) return false;
  system::record_owned(tx, "job.undelete", "job", job.value, standing.user_id);
  return true;
}

Moved purge(Write& tx, JobId job, int limit) {
  const auto standing = lock(tx, job);
  require_ended(job, standing.status, "purged");
  // The cascade would take what a worker still holds, but not from the figures of its queue and host.
  if (standing.open_tasks > 0)
    throw Error(ErrorCode::conflict, fmt::format("job {} still has {} tasks that have not ended: purge it when they have",
                                                 to_string(job), standing.open_tasks));
  auto moved = queue::purge_job(tx, job, limit);
  const auto artifacts = artifacts::purge_of_job(tx, job, limit);
  const auto lines = tx.run(purge_logs, job, limit);
  if (artifacts == limit || lines == limit) moved.done = moved.held = false;
  if (!moved.done) return moved;
  tx.run(purge_job, job);
  system::record_owned(tx, "job.purge", "job", job.value, standing.user_id);
  return moved;
}

std::vector<JobId> ended_before(Read& tx, Instant before, int limit) {
  return tx.all(find_ended, before, limit, tx.actor().only());
}
std::vector<JobId> deleted_before(Read& tx, Instant before, int limit) {
  return tx.all(find_deleted, before, limit, tx.actor().only());
}

}  // namespace quarry::jobs
