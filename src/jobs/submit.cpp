#include "quarry/jobs/submit.hpp"

#include <fmt/format.h>

#include "jobs/owner.hpp"
#include "jobs/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::jobs {
namespace {

struct JobRow {
  JobId id;
  UserId user_id;
  std::string_view job_type;
  std::string_view title;
  std::optional<std::string> description;
  std::vector<std::string> keywords;
  std::optional<std::vector<std::string>> expanded_keywords;
  Json config;
  int schema_version;
  int priority;
  std::optional<Instant> scheduled_at;
  std::optional<JobId> depends_on_job_id;
  std::optional<SearchId> search_id;
  std::optional<std::string> scraper_name;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(JobRow, (),
                      (id, user_id, job_type, title, description, keywords, expanded_keywords, config, schema_version,
                       priority, scheduled_at, depends_on_job_id, search_id, scraper_name, created_at))

constexpr sql::Command<void(JobRow)> insert_job{
    "jobs.insert",
    "insert into scraping_jobs (id, user_id, job_type, title, description, keywords, expanded_keywords, config, "
    "schema_version,"
    " priority, scheduled_at, depends_on_job_id, search_id, scraper_name, created_at, updated_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)"};

constexpr sql::Query<UserId(UserId)> find_user{"jobs.find_user",
                                               "select id from users where id = $1 and deleted_at is null"};
constexpr sql::Query<JobId(JobId, UserId)> find_job_of_user{
    "jobs.find_of_user", "select id from scraping_jobs where id = $1 and user_id = $2 and deleted_at is null"};

/// The job that `$1` depends on, as long as that one has not ended. On PostgreSQL it is locked against ending meanwhile: its
/// last task's transaction releases what waits for it, and would not see what this transaction is about to put in.
constexpr sql::Query<JobId(JobId)> open_dependency{
    "jobs.open_dependency",
    sql::sqlite("select d.id from scraping_jobs j join scraping_jobs d on d.id = j.depends_on_job_id"
                " where j.id = $1 and (d.status = 'pending' or d.status = 'running')"),
    sql::postgres("select d.id from scraping_jobs j join scraping_jobs d on d.id = j.depends_on_job_id"
                  " where j.id = $1 and d.status in ('pending', 'running') for share of d")};

/// Whoever submits for the same user at the same moment waits, so that together they do not go beyond the limit.
constexpr sql::Query<UserId(UserId)> lock_submitter{"jobs.lock_submitter", sql::sqlite("select id from users where id = $1"),
                                                    sql::postgres("select id from users where id = $1 for no key update")};
constexpr sql::Query<std::int64_t(UserId, int)> count_open_jobs{
    "jobs.count_open",
    "select count(*) from (select 1 from scraping_jobs where user_id = $1 and (status = 'pending' or status = 'running')"
    " and deleted_at is null limit $2) o"};

struct OwnedStanding {
  JobStatus status;
  bool is_paused;
  UserId user_id;
  int priority;
};
BOOST_DESCRIBE_STRUCT(OwnedStanding, (), (status, is_paused, user_id, priority))
constexpr sql::Query<OwnedStanding(JobId)> find_standing{
    "jobs.standing", "select status, is_paused, user_id, priority from scraping_jobs where id = $1 and deleted_at is null"};

constexpr sql::Command<void(JobId, std::int64_t, std::int64_t, Instant)> add_to_figures{
    "jobs.add_gain",
    sql::sqlite("update scraping_jobs set results_count = results_count + $2, bytes_fetched = bytes_fetched + $3,"
                " updated_at = max($4, updated_at + 1) where id = $1"),
    sql::postgres("update scraping_jobs set results_count = results_count + $2, bytes_fetched = bytes_fetched + $3,"
                  " updated_at = greatest($4, updated_at + interval '1 microsecond') where id = $1")};

void check(const NewJob& job) {
  check_title(job.title);
  check_job_type(job.job_type);
  if (job.description) check_description(*job.description);
  if (job.scraper_name) store::check_text("scraper_name", *job.scraper_name, 1, 50);
  check_keywords(job.keywords);
  if (job.expanded_keywords) check_keywords(*job.expanded_keywords);
  check_priority(job.priority);
  check_schema_version(job.schema_version);
  check_config(job.config);
}

OwnedStanding standing_of(Read& tx, JobId job) {
  const auto found = tx.one(find_standing, job);
  if (!found || !tx.actor().sees(found->user_id)) throw_no_job(job);
  return *found;
}

void keep_to_limit(Write& tx, UserId user, int open_jobs_max) {
  tx.one(lock_submitter, user);
  if (tx.value(count_open_jobs, user, open_jobs_max) < open_jobs_max) return;
  throw Error(ErrorCode::conflict,
              fmt::format("the user has {} open jobs, which is all they may (setting 'max_jobs_per_user'): wait until one "
                          "has ended, or cancel one",
                          open_jobs_max));
}

}  // namespace

Job submit(Write& tx, const NewJob& job) {
  check(job);
  if (!tx.actor().sees(job.user_id) || !tx.one(find_user, job.user_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(job.user_id)));
  if (job.depends_on_job_id && !tx.one(find_job_of_user, *job.depends_on_job_id, job.user_id))
    throw Error(ErrorCode::not_found,
                fmt::format("there is no job {} of this user to depend on", to_string(*job.depends_on_job_id)));
  if (job.open_jobs_max) keep_to_limit(tx, job.user_id, *job.open_jobs_max);
  const auto id = tx.new_id<JobId>();
  tx.run(insert_job, {id, job.user_id, job.job_type, job.title, job.description, job.keywords, job.expanded_keywords,
                      job.config, job.schema_version, job.priority, job.scheduled_at, job.depends_on_job_id, job.search_id,
                      job.scraper_name, tx.now()});
  return get(tx, id);
}

queue::Enqueued add_tasks(Write& tx, JobId job, queue::QueueId queue, std::span<const queue::NewTask> tasks) {
  const auto before = standing_of(tx, job);
  if (before.status == JobStatus::completed || before.status == JobStatus::failed)
    throw Error(ErrorCode::conflict,
                fmt::format("job {} is {}: it takes no more tasks; retry what failed of it, or submit another",
                            to_string(job), to_string(before.status)));
  const bool blocked = tx.one(open_dependency, job).has_value();
  std::vector<queue::NewTask> own;
  if (before.priority != queue::priority_default) {
    own.assign(tasks.begin(), tasks.end());
    for (auto& task : own)
      if (task.priority == queue::priority_default) task.priority = before.priority;
    tasks = own;
  }
  auto enqueued = queue::enqueue(tx, queue, tasks, {.user_id = before.user_id, .job_id = job, .blocked = blocked});
  if (enqueued.ids.empty()) return enqueued;
  // The enqueue has changed the job's row, so from here on nobody else can, and what it says now holds until the commit.
  const auto now = standing_of(tx, job);
  if (now.status == JobStatus::cancelled)
    queue::cancel_job(tx, job);
  else if (now.is_paused)
    queue::pause_job(tx, job);
  return enqueued;
}

void add_gain(Write& tx, JobId job, const Gain& gain) {
  if (!tx.actor().sees_all() && !exists(tx, job)) return;
  tx.run(add_to_figures, job, gain.results, gain.bytes, tx.now());
}

}  // namespace quarry::jobs
