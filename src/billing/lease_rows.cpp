#include "billing/lease_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace quarry::billing {
namespace {

#define QUARRY_OPEN_RESERVATION                                                                                 \
  "select e.id, e.event_id, e.user_id, e.kind, e.units, e.period_start, e.reservation_id, e.job_id, e.task_id," \
  " e.payload_hash, e.created_at from usage_events e"
#define QUARRY_IS_OPEN " and e.kind = 'reserve' and not exists (select 1 from usage_events x where x.reservation_id = e.id)"

constexpr sql::Query<UsageEventRow(TaskId)> open_of_task{"billing.open_reservations_of",
                                                         QUARRY_OPEN_RESERVATION " where e.task_id = $1" QUARRY_IS_OPEN};
constexpr sql::Query<UsageEventRow(std::vector<std::int64_t>)> open_of_tasks{
    "billing.open_reservations", sql::sqlite(""),
    sql::postgres(QUARRY_OPEN_RESERVATION " where e.task_id = any($1)" QUARRY_IS_OPEN)};

constexpr sql::Command<void(JobId, std::int64_t)> add_to_job{
    "billing.add_to_job", "update scraping_jobs set compute_units_consumed = compute_units_consumed + $2 where id = $1"};

}  // namespace

std::string lease_event_id(TaskId task, std::int64_t lease_token, Instant at) {
  return fmt::format("task {} lease {} at {}", task, lease_token, at.us);
}

bool is_of_lease(const UsageEventRow& reservation, const queue::LeaseRef& lease) {
  return reservation.event_id.starts_with(fmt::format("task {} lease {} at ", lease.id, lease.lease_token));
}

std::vector<UsageEventRow> open_reservations(Read& tx, std::span<const TaskId> tasks) {
  if (tx.engine() == Engine::postgres) return tx.all(open_of_tasks, {tasks.begin(), tasks.end()});
  std::vector<UsageEventRow> found;
  for (const auto task : tasks)
    for (auto& row : tx.all(open_of_task, task)) found.push_back(std::move(row));
  return found;
}

std::int64_t end_reservations(Write& tx, std::vector<LeaseEnd> ends, Wait wait) {
  if (ends.empty()) return 0;
  std::set<std::pair<UserId, Instant>> periods;
  std::vector<TaskId> tasks;
  for (const auto& end : ends) {
    periods.emplace(end.reservation.user_id, end.reservation.period_start);
    tasks.push_back(end.reservation.task_id.value());
  }
  for (const auto& [user, start] : periods) {
    if (wait == Wait::yes) {
      lock_balance(tx, user, start);
    } else if (!try_lock_balance(tx, user, start)) {
      std::erase_if(ends, [&](const LeaseEnd& end) {
        return end.reservation.user_id == user && end.reservation.period_start == start;
      });
    }
  }
  if (tx.engine() == Engine::postgres) {
    // Now that the balances are ours: what others have ended before is not ended again.
    std::set<UsageEventId> open;
    for (const auto& row : open_reservations(tx, tasks)) open.insert(row.id);
    std::erase_if(ends, [&](const LeaseEnd& end) { return !open.contains(end.reservation.id); });
  }
  struct Sums {
    std::int64_t used = 0;
    std::int64_t reserved = 0;
  };
  std::map<std::pair<UserId, Instant>, Sums> sums;
  std::map<JobId, std::int64_t> jobs;
  for (const auto& [reservation, kind, charged] : ends) {
    auto event_id = fmt::format("{} {}", reservation.event_id, boost::describe::enum_to_string(kind, ""));
    const bool is_settled = kind == UsageKind::settle;
    const UsageEventRow row{tx.new_id<UsageEventId>(),
                            event_id,
                            reservation.user_id,
                            kind,
                            is_settled ? charged : reservation.units,
                            reservation.period_start,
                            reservation.id,
                            reservation.job_id,
                            reservation.task_id,
                            {},
                            tx.now()};
    if (!insert_event_row(tx, row)) throw_bug("an event of a lease was written before: " + event_id);
    auto& sum = sums[{row.user_id, row.period_start}];
    sum.used += is_settled ? charged : 0;
    sum.reserved += reservation.units;
    if (is_settled && row.job_id) jobs[*row.job_id] += charged;
  }
  for (const auto& [period, sum] : sums) add_to_balance(tx, period.first, period.second, 0, sum.used, -sum.reserved);
  for (const auto& [job, charged] : jobs) tx.run(add_to_job, job, charged / micro_per_unit);
  return static_cast<std::int64_t>(ends.size());
}

}  // namespace quarry::billing
