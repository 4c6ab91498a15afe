/// The firing half of schedules.hpp.

#include <fmt/format.h>

#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/queue/cron.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/schedules.hpp"
#include "queue/access.hpp"
#include "queue/columns.hpp"

namespace quarry::queue {
namespace {

// Rows that another supervisor holds are its business.
constexpr sql::Query<Schedule(Instant, bool, int)> find_due{
    "schedules.find_due",
    sql::sqlite("select " QUARRY_SCHEDULE_COLUMNS " from schedules"
                " where is_enabled and next_run_at <= $1 and ($2 or job_config is null)"
                " and exists (select 1 from users u where u.id = user_id and u.is_active and u.deleted_at is null) order by "
                "next_run_at limit $3"),
    sql::postgres("select " QUARRY_SCHEDULE_COLUMNS " from schedules"
                  " where is_enabled and next_run_at <= $1 and ($2 or job_config is null)"
                  " and exists (select 1 from users u where u.id = user_id and u.is_active and u.deleted_at is null) order "
                  "by next_run_at limit $3"
                  " for update skip locked")};

constexpr sql::Query<std::int64_t(std::optional<TaskId>, std::optional<JobId>)> count_open_runs{
    "schedules.count_open_runs",
    "select (select count(*) from task_queue where id = $1"
    "  and status not in ('completed', 'failed', 'cancelled', 'dead'))"
    " + (select count(*) from scraping_jobs where id = $2 and status in ('pending', 'running'))"};

struct Mark {
  ScheduleId id;
  std::optional<Instant> next_run_at;
  std::optional<Instant> last_run_at;
  std::optional<TaskId> last_task_id;
  std::optional<JobId> last_job_id;
  bool is_enabled;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(Mark, (), (id, next_run_at, last_run_at, last_task_id, last_job_id, is_enabled, now))

constexpr sql::Command<void(Mark)> mark_fired{
    "schedules.mark_fired",
    "update schedules set next_run_at = $2, last_run_at = coalesce($3, last_run_at), last_task_id = coalesce($4, "
    "last_task_id),"
    " last_job_id = coalesce($5, last_job_id), is_enabled = $6, updated_at = $7 where id = $1"};

/// Which times are fired now, and where the schedule goes on.
struct Plan {
  std::vector<Instant> runs;
  int skipped = 0;
  std::optional<Instant> next;
};

Plan plan_runs(const Schedule& schedule, const Cron& cron, Instant now) {
  Plan plan;
  std::optional<Instant> at = schedule.next_run_at;
  if (schedule.misfire_policy == MisfirePolicy::run_all) {
    for (; at && *at <= now && plan.runs.size() < run_all_max; at = cron.next_after(*at)) plan.runs.push_back(*at);
    plan.next = at;
    return plan;
  }
  // The last time that has come is found from near now, however long nobody looked.
  Instant last = *at;
  const auto near = std::max(*at, now - misfire_grace - std::chrono::minutes(1));
  if (near > *at) {
    if (const auto later = cron.next_after(near); later && *later <= now) last = *later;
  }
  while ((at = cron.next_after(last)) && *at <= now) last = *at;
  plan.next = at;
  const bool missed = now - last > misfire_grace;
  if (missed && schedule.misfire_policy == MisfirePolicy::skip)
    plan.skipped = 1;
  else
    plan.runs.push_back(last);
  return plan;
}

/// One run: a task or a job, marked in `mark`.
void start_run(Write& tx, const Schedule& schedule, Instant at, const SubmitJob& submit_job, Mark& mark) {
  mark.last_run_at = at;
  if (schedule.job_config) {
    mark.last_job_id = submit_job(tx, schedule, at);
    return;
  }
  const auto queue = open_queue(tx, schedule.queue);
  const NewTask task{
      .task_type = schedule.task_type, .payload = schedule.payload, .priority = schedule.priority, .scheduled_at = at};
  mark.last_task_id = enqueue(tx, queue, task, {.user_id = schedule.user_id});
}

void fire(Write& tx, const Schedule& schedule, const SubmitJob& submit_job, Fired& fired) {
  const auto now = tx.now();
  const auto plan = plan_runs(schedule, Cron::parse(schedule.cron), now);
  fired.skipped += plan.skipped;
  Mark mark{schedule.id, plan.next, {}, {}, {}, true, now};
  bool runs = schedule.overlap_policy == OverlapPolicy::skip &&
              tx.value(count_open_runs, schedule.last_task_id, schedule.last_job_id) > 0;
  for (const auto at : plan.runs) {
    if (runs) {
      ++fired.skipped;
      continue;
    }
    start_run(tx, schedule, at, submit_job, mark);
    ++fired.runs;
    runs = schedule.overlap_policy == OverlapPolicy::skip;
  }
  tx.run(mark_fired, mark);
}

/// Whether firing again would end the same way, whatever becomes of the database meanwhile.
bool is_the_schedules_own(const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid:
    case ErrorCode::constraint:
    case ErrorCode::not_found:
    case ErrorCode::denied:
      return true;
    case ErrorCode::conflict:
      return !error.retryable();
    default:
      return false;
  }
}

}  // namespace

Fired fire_due(Write& tx, int limit, const SubmitJob& submit_job) {
  require_sees_all(tx, "firing what is due");
  Fired fired;
  for (const auto& schedule : tx.all(find_due, tx.now(), static_cast<bool>(submit_job), limit)) {
    ++fired.schedules;
    const auto before = fired;
    try {
      tx.attempt([&] { fire(tx, schedule, submit_job, fired); });
    } catch (const Error& error) {
      // One that cannot be fired must not hold up the others, and would be due forever.
      if (!is_the_schedules_own(error)) throw;
      fired = before;
      log::error("the schedule '{}' ({}) is disabled: {}", schedule.name, to_string(schedule.id), error.client_message());
      tx.run(mark_fired, {schedule.id, schedule.next_run_at, {}, {}, {}, false, tx.now()});
    }
  }
  return fired;
}

}  // namespace quarry::queue
