/// What has ended and is older than it is kept.

#include <algorithm>

#include "ops/maintain/state.hpp"
#include "ops/maintain/steps.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/until_done.hpp"

namespace quarry::ops::upkeep {
namespace {

constexpr sql::Query<std::int64_t(Instant)> count_ended_jobs{
    "maintain.count_ended_jobs",
    "select count(*) from scraping_jobs where completed_at < $1 and status in ('completed', 'failed', 'cancelled')"
    " and open_tasks = 0"};
constexpr sql::Query<std::int64_t(Instant)> count_ended_tasks{
    "maintain.count_ended_tasks",
    "select count(*) from task_queue where completed_at < $1 and completed_at is not null"
    " and not exists (select 1 from scraping_jobs j where j.id = job_id and j.status in ('pending', 'running'))"};
constexpr sql::Query<std::int64_t(Instant)> count_log_lines{"maintain.count_log_lines",
                                                            "select count(*) from job_logs where created_at < $1"};
constexpr sql::Command<void(Instant, int)> delete_log_lines{
    "maintain.delete_log_lines",
    "delete from job_logs where id in (select id from job_logs where created_at < $1 order by created_at limit $2)"};
constexpr sql::Query<std::int64_t(Instant)> count_sessions{"maintain.count_sessions",
                                                           "select count(*) from user_sessions where expires_at < $1"};
// Provider's names and addresses go with the body; what is not processed is somebody's trouble, and stays, but for what was
// said of a user who is gone and will never be applied. The newest word on a subscription that has not expired, and on its
// payments, stays, too: what holds of it is worked out from its messages, and a year may lie between two of them.
#define QUARRY_OLD_MESSAGES                                                                     \
  " from webhook_events w where (w.status = 'processed' and w.processed_at < $1"                \
  " and not (w.test_mode = false and exists (select 1 from user_subscriptions s"                \
  "  where s.provider_subscription_id = w.subscription_id and s.status <> 'expired')"           \
  " and not exists (select 1 from webhook_events n where n.subscription_id = w.subscription_id" \
  "  and n.object_type = w.object_type and n.test_mode = false and n.status = 'processed'"      \
  "  and (n.provider_updated_at, n.id) > (w.provider_updated_at, w.id)))"                       \
  " or w.status <> 'processed' and w.received_at < $1 and w.checkout_user_id is not null"       \
  " and not exists (select 1 from users u where u.id = w.checkout_user_id))"
constexpr sql::Query<std::int64_t(Instant)> count_webhooks{"maintain.count_webhooks", "select count(*)" QUARRY_OLD_MESSAGES};
constexpr sql::Command<void(Instant, int)> delete_webhooks{
    "maintain.delete_webhooks", "delete from webhook_events where id in (select w.id" QUARRY_OLD_MESSAGES " limit $2)"};
#undef QUARRY_OLD_MESSAGES

/// Tasks are the source of the daily figures: what is not rolled up yet stays. Nothing when that has never been done.
std::optional<Instant> rolled_up_before(Step& step, Instant before) {
  const auto state = step.db().read([](Read& tx) { return read_state(tx); });
  if (state.rolled_up_until) return std::min(before, *state.rolled_up_until);
  if (step.dry_run()) return before;
  step.skip("usage was never rolled up: `quarry maintain --only analytics` comes first");
  return std::nullopt;
}

/// False when the job is not to be had: somebody brought it back to life, or took it, meanwhile.
bool purge_whole(Step& step, JobId job) {
  try {
    queue::until_done([&] {
      const auto moved = step.transaction([&](Write& tx) { return jobs::purge(tx, job, step.rows()); });
      step.count("tasks", moved.tasks);
      return moved;
    });
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::conflict || error.code() == ErrorCode::not_found) return false;
    throw;
  }
}

}  // namespace

void purge_found_jobs(Step& step, Instant before, FindJobs find) {
  while (true) {
    const auto found = step.db().read([&](Read& tx) { return find(tx, before, 100); });
    std::int64_t purged = 0;
    for (const auto job : found) purged += purge_whole(step, job) ? 1 : 0;
    step.count("jobs", purged);
    if (purged == 0) return;
  }
}

void purge_jobs(Step& step) {
  const auto old = step.days_ago("retention_days");
  const auto before = old ? rolled_up_before(step, *old) : old;
  if (!before) return;
  if (step.dry_run()) return step.count("jobs", step.look(count_ended_jobs, *before));
  purge_found_jobs(step, *before, jobs::ended_before);
}

void purge_tasks(Step& step) {
  const auto old = step.days_ago("maintain.tasks_days");
  const auto before = old ? rolled_up_before(step, *old) : old;
  if (!before) return;
  if (step.dry_run()) return step.count("tasks", step.look(count_ended_tasks, *before));
  step.in_batches("tasks", [&](Write& tx) { return queue::purge_ended(tx, *before, step.rows()); });
}

void purge_logs(Step& step) {
  const auto before = step.days_ago("maintain.logs_days");
  if (!before) return;
  if (step.dry_run()) return step.count("lines", step.look(count_log_lines, *before));
  step.in_batches("lines", [&](Write& tx) { return tx.run(delete_log_lines, *before, step.rows()); });
}

void purge_sessions(Step& step) {
  const auto before = step.days_ago("maintain.sessions_days");
  if (!before) return;
  if (step.dry_run()) return step.count("sessions", step.look(count_sessions, *before));
  step.in_batches("sessions", [&](Write& tx) { return accounts::purge_sessions(tx, *before, step.rows()); });
}

void purge_webhooks(Step& step) {
  const auto before = step.days_ago("maintain.webhooks_days");
  if (!before) return;
  if (step.dry_run()) return step.count("messages", step.look(count_webhooks, *before));
  step.in_batches("messages", [&](Write& tx) { return tx.run(delete_webhooks, *before, step.rows()); });
}

}  // namespace quarry::ops::upkeep
