/// What time does to work: tasks fall due, leases and reservations run out, plans end, days are over, jobs take too long.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ops/maintain/calendar.hpp"
#include "ops/maintain/state.hpp"
#include "ops/maintain/steps.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/billing/usage.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/queue/until_done.hpp"

namespace quarry::ops {
namespace upkeep {
namespace {

constexpr std::string_view timeout_key = "default_job_timeout";

constexpr sql::Query<std::int64_t(Instant)> count_due{
    "maintain.count_due", "select count(*) from task_queue where status = 'scheduled' and scheduled_at <= $1"};
constexpr sql::Query<std::int64_t(Instant)> count_expired{
    "maintain.count_expired", "select count(*) from task_queue where status = 'processing' and lease_until < $1"};

/// As `billing::expire_lost` finds them: reserved under a lease that is over. Only what a period still has reserved is
/// asked.
constexpr sql::Query<std::int64_t()> count_lost_reservations{
    "maintain.count_reservations",
    "select count(*) from usage_periods p join usage_events e on e.user_id = p.user_id and e.period_start = p.period_start"
    " where p.reserved > 0 and e.kind = 'reserve' and e.task_id is not null and e.event_id like 'task %'"
    " and not exists (select 1 from usage_events o where o.reservation_id = e.id)"
    " and not exists (select 1 from task_queue t where t.id = e.task_id and t.lease_until is not null"
    "  and e.event_id like 'task ' || t.id || ' lease ' || t.lease_token || ' at %')"};

/// Whose plan ended within a period that is still under way: nobody told the period.
constexpr sql::Query<UserId(Instant)> users_whose_plan_ended{
    "maintain.users_whose_plan_ended",
    "select distinct s.user_id from user_subscriptions s join usage_periods p on p.user_id = s.user_id"
    " where s.status = 'cancelled' and coalesce(s.ends_at, s.current_period_end) <= $1"
    " and coalesce(s.ends_at, s.current_period_end) > p.period_start and p.period_start <= $1 and p.period_end > $1"};

/// Of ended tasks: whoever has never rolled up begins here.
constexpr sql::Query<std::optional<Instant>()> first_ended{
    "maintain.first_ended", "select min(completed_at) from task_queue where completed_at is not null"};

struct RunningJob {
  JobId id;
  std::optional<Instant> started_at;
  std::optional<std::string> own_timeout;
};
BOOST_DESCRIBE_STRUCT(RunningJob, (), (id, started_at, own_timeout))
constexpr sql::Query<RunningJob(Instant, JobId, int)> jobs_at_work{
    "maintain.jobs_at_work",
    "select j.id, j.started_at, c.config_value as own_timeout from scraping_jobs j left join job_configurations c"
    " on c.job_id = j.id and c.config_key = 'timeout_seconds'"
    " where j.status = 'running' and not j.is_paused and j.deleted_at is null"
    " and (j.started_at < $1 or c.config_value is not null) and j.id > $2 order by j.id limit $3"};

/// The seconds that a job may take; nothing: as long as it likes. What cannot be read in its own words does not count.
std::optional<std::int64_t> timeout_of(const RunningJob& job, std::optional<std::int64_t> by_default) {
  auto seconds = by_default;
  if (job.own_timeout) {
    std::int64_t own = 0;
    const auto* end = job.own_timeout->data() + job.own_timeout->size();
    const auto [read, error] = std::from_chars(job.own_timeout->data(), end, own);
    if (error == std::errc() && read == end && own >= 0) seconds = own;
  }
  return seconds.value_or(0) == 0 ? std::nullopt : seconds;
}

struct OverdueJob {
  JobId id;
  std::int64_t seconds;
};

std::vector<OverdueJob> overdue_jobs(const Database& db, int rows) {
  const auto by_default = db.read([](Read& tx) { return maintain_setting(tx, timeout_key); });
  const auto now = db.now();
  // Jobs without words of their own that are younger cannot be overdue.
  const auto oldest = by_default.value_or(0) > 0 ? now - std::chrono::seconds(*by_default) : Instant{0};
  std::vector<OverdueJob> overdue;
  for (JobId after{};;) {
    const auto found = db.read([&](Read& tx) { return tx.all(jobs_at_work, oldest, after, rows); });
    for (const auto& job : found)
      if (const auto seconds = timeout_of(job, by_default);
          seconds && job.started_at && *job.started_at + std::chrono::seconds(*seconds) < now)
        overdue.push_back({job.id, *seconds});
    if (std::cmp_less(found.size(), rows)) return overdue;
    after = found.back().id;
  }
}

/// False when it had ended meanwhile.
bool give_up(const Database& db, const OverdueJob& job, int rows) {
  try {
    db.write([&](Write& tx) {
      jobs::change_status(tx, job.id, jobs::JobStatus::cancelled,
                          fmt::format("given up: it ran for more than {} s, which is all it may (setting "
                                      "'default_job_timeout', or 'timeout_seconds' of its configuration)",
                                      job.seconds));
    });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::conflict || error.code() == ErrorCode::not_found) return false;
    throw;
  }
  queue::until_done([&] { return db.write([&](Write& tx) { return jobs::cancel(tx, job.id, rows); }); });
  return true;
}

}  // namespace

void end_leases(Step& step) {
  if (step.dry_run()) {
    step.count("tasks due", step.look(count_due, step.db().now()));
    return step.count("leases", step.look(count_expired, step.db().now()));
  }
  step.in_batches("tasks due", [&](Write& tx) { return queue::promote_due(tx, step.rows()); });
  step.in_batches("leases", [&](Write& tx) { return billing::reap_expired(tx, step.rows()); });
}

void expire_reservations(Step& step) {
  if (step.dry_run()) return step.count("reservations", step.look(count_lost_reservations));
  step.in_batches("reservations", [&](Write& tx) { return billing::expire_lost(tx, {}, step.rows()); });
}

void sync_periods(Step& step) {
  const auto users = step.db().read([](Read& tx) { return tx.all(users_whose_plan_ended, tx.now()); });
  for (const auto user : users) {
    if (step.dry_run())
      step.count("users to look at", 1);
    else
      step.count("periods", step.transaction([&](Write& tx) { return billing::sync_allowance(tx, user) != 0 ? 1 : 0; }));
  }
}

void roll_up_usage(Step& step) {
  // Further back there are no figures that a roll-up could still find: tasks are purged.
  constexpr std::chrono::days days_back_max{400};
  const auto now = step.db().now();
  const auto today = day_of(now);
  const auto state = step.db().read([](Read& tx) { return read_state(tx); });
  const auto begin = state.rolled_up_until ? state.rolled_up_until : step.look(first_ended);
  const auto first = begin ? std::clamp(day_of(*begin), today - days_back_max, today) : today;
  for (auto day = first; day <= today; day += std::chrono::days(1)) {
    step.count("days", 1);
    if (step.dry_run()) continue;
    // A day is over when the next one is two hours old: until then what has just ended may still come in.
    const auto next = start_of(day + std::chrono::days(1));
    const bool is_over = now - next >= std::chrono::hours(2);
    step.count("rows", step.transaction([&](Write& tx) {
      const auto rows = billing::roll_up(tx, start_of(day));
      if (is_over || !read_state(tx).rolled_up_until)
        write_state(tx, {.finished_at = {}, .rolled_up_until = is_over ? next : start_of(day)});
      return rows;
    }));
  }
}

void give_up_jobs(Step& step) {
  for (const auto& job : overdue_jobs(step.db(), step.rows())) {
    const auto begin = std::chrono::steady_clock::now();
    if (step.dry_run() || give_up(step.db(), job, step.rows())) step.count("jobs", 1);
    step.rest(begin);
  }
}

}  // namespace upkeep

std::int64_t give_up_overdue_jobs(const Database& db, int rows_per_transaction) {
  std::int64_t jobs = 0;
  for (const auto& job : upkeep::overdue_jobs(db, rows_per_transaction))
    if (upkeep::give_up(db, job, rows_per_transaction)) ++jobs;
  return jobs;
}

}  // namespace quarry::ops
