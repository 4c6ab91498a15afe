#include "quarry/billing/metering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "billing/lease_rows.hpp"
#include "billing/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/queue/as_one.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::billing {
namespace {

using queue::LeaseRef;
using queue::Refused;

constexpr sql::Query<std::optional<std::string>(std::string_view)> find_setting{
    "billing.find_setting", "select value from system_config where key = $1"};
constexpr sql::Command<void(Uuid, std::string_view, std::string_view, Instant)> put_setting{
    "billing.put_setting",
    "insert into system_config (id, key, value, type, description, created_at, updated_at)"
    " values ($1, $2, $3, 'boolean', 'Whether plans limit what users may run', $4, $4)"
    " on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at"};
constexpr std::string_view enforced_key = "billing.enforced";

struct TaskNow {
  std::int64_t lease_token;
  bool is_held;
  bool is_cancelled;
};
BOOST_DESCRIBE_STRUCT(TaskNow, (), (lease_token, is_held, is_cancelled))
constexpr sql::Query<TaskNow(TaskId)> find_task_now{"billing.task_now",
                                                    "select lease_token, lease_until is not null as is_held, status = "
                                                    "'cancelled' as is_cancelled from task_queue where id = $1"};

constexpr sql::Query<LeaseRef(Instant, int)> find_expired{
    "billing.expired_leases",
    "select id, lease_token from task_queue where status = 'processing' and lease_until < $1 and user_id is not null"
    " order by lease_until limit $2"};

// The leases that hold are known by their tokens; every other reservation of a task is lost.
#define QUARRY_LOST                                                                                             \
  "select e.id, e.event_id, e.user_id, e.kind, e.units, e.period_start, e.reservation_id, e.job_id, e.task_id," \
  " e.payload_hash, e.created_at from usage_periods p"                                                          \
  " join usage_events e on e.user_id = p.user_id and e.period_start = p.period_start"                           \
  " where p.reserved > 0 and e.kind = 'reserve' and e.task_id is not null and e.event_id like 'task %'"         \
  " and not exists (select 1 from usage_events x where x.reservation_id = e.id)"                                \
  " and not exists (select 1 from task_queue t where t.id = e.task_id and t.lease_until is not null"            \
  "  and e.event_id like 'task ' || t.id || ' lease ' || t.lease_token || ' at %')"
constexpr sql::Query<UsageEventRow(int)> find_lost{"billing.lost_reservations", QUARRY_LOST " order by e.id limit $1"};
constexpr sql::Query<UsageEventRow(UserId, int)> find_lost_of{"billing.lost_reservations_of",
                                                              QUARRY_LOST " and p.user_id = $1 order by e.id limit $2"};

std::vector<TaskId> tasks_of(std::span<const LeaseRef> leases) {
  std::vector<TaskId> tasks;
  for (const auto& lease : leases) tasks.push_back(lease.id);
  return tasks;
}

/// The reservations of leases, as `end` says of each.
template <class End>
std::int64_t end_leases(Write& tx, std::span<const LeaseRef> leases, End end) {
  if (leases.empty()) return 0;
  std::multimap<TaskId, LeaseRef> by_task;
  for (const auto& lease : leases) by_task.emplace(lease.id, lease);
  std::vector<LeaseEnd> ends;
  for (auto& row : open_reservations(tx, tasks_of(leases))) {
    const auto [first, last] = by_task.equal_range(row.task_id.value());
    if (std::any_of(first, last, [&](const auto& entry) { return is_of_lease(row, entry.second); }))
      ends.push_back(end(std::move(row)));
  }
  return end_reservations(tx, std::move(ends));
}

LeaseEnd settled(UsageEventRow row, Instant now, OverReserve over) {
  auto cost = std::min(cost_of(now - row.created_at), micro_units_max);
  if (over == OverReserve::cap) cost = std::min(cost, row.units);
  return {std::move(row), UsageKind::settle, cost};
}

std::vector<LeaseEnd> lost(std::vector<UsageEventRow> rows) {
  std::vector<LeaseEnd> ends;
  for (auto& row : rows) ends.push_back({std::move(row), UsageKind::expire, 0});
  return ends;
}

/// The leases that were good. Of two of one task, of which one was refused, it is the later one.
template <class Named>
std::vector<LeaseRef> accepted(std::span<const Named> tasks, const Refused& refused) {
  std::map<TaskId, int> left;
  std::map<TaskId, std::int64_t> latest;
  for (const auto& task : tasks) {
    ++left[task.id];
    latest[task.id] = std::max(latest[task.id], task.lease_token);
  }
  for (const auto id : refused.ids) --left[id];
  std::vector<LeaseRef> leases;
  for (const auto& [id, count] : left)
    if (count > 0) leases.push_back({id, latest[id]});
  return leases;
}

std::int64_t reap(Write& tx, int limit) {
  const auto candidates = tx.all(find_expired, tx.now(), limit);
  const auto reaped = queue::reap_expired(tx, limit);
  if (reaped == 0 || candidates.empty()) return reaped;
  std::vector<LeaseRef> over;
  for (const auto& lease : candidates) {
    const auto task = tx.one(find_task_now, lease.id);
    if (!task || !task->is_held || task->lease_token != lease.lease_token) over.push_back(lease);
  }
  end_leases(tx, over, [](UsageEventRow row) { return LeaseEnd{std::move(row), UsageKind::expire, 0}; });
  return reaped;
}

}  // namespace

bool is_enforced(Read& tx) {
  const auto value = tx.one(find_setting, enforced_key);
  return value && *value == "true";
}

void set_enforced(Write& tx, bool enforced) {
  require_admin(tx, "switching billing on or off");
  tx.run(put_setting, tx.new_uuid(), enforced_key, enforced ? "true" : "false", tx.now());
  system::audit(tx, {.action = "setting.set",
                     .resource_type = "setting",
                     .details = Json{R"({"key":"billing.enforced","type":"boolean","is_sensitive":false})"}});
}

std::vector<queue::ClaimedTask> claim(Write& tx, queue::QueueId queue, const queue::ClaimOptions& options,
                                      const MeterOptions& meter) {
  Gate gate(meter);
  auto gated = options;
  gated.gate = &gate;
  if (options.maintain) {
    queue::as_one(tx, [](Write& unit) {
      queue::promote_due(unit);
      reap(unit, 1'000);
    });
    gated.maintain = false;
  }
  return queue::claim(tx, queue, gated);
}

std::int64_t settle_finished(Write& tx, std::span<const LeaseRef> leases, const MeterOptions& meter) {
  require_admin(tx, "settling tasks");
  return end_leases(tx, leases, [&](UsageEventRow row) { return settled(std::move(row), tx.now(), meter.over); });
}

std::int64_t settle_unfinished(Write& tx, std::span<const LeaseRef> leases) {
  require_admin(tx, "settling tasks");
  return end_leases(tx, leases, [&](UsageEventRow row) {
    const auto task = tx.one(find_task_now, row.task_id.value());
    // Its user stopped it: what was done until then was done for them.
    if (task && task->is_cancelled) return settled(std::move(row), tx.now(), OverReserve::charge);
    return LeaseEnd{std::move(row), UsageKind::release, 0};
  });
}

// Balances before hosts and counters, which `as_one` changes last: a claim holds those when it looks at balances, and waits
// for none of them.
Refused finish(Write& tx, std::span<const queue::Finish> tasks, const MeterOptions& meter) {
  Refused refused;
  queue::as_one(tx, [&](Write& unit) {
    refused = queue::finish(unit, tasks);
    settle_finished(unit, accepted(tasks, refused), meter);
  });
  return refused;
}

void finish_or_throw(Write& tx, std::span<const queue::Finish> tasks, const MeterOptions& meter) {
  queue::as_one(tx, [&](Write& unit) {
    queue::finish_or_throw(unit, tasks);
    settle_finished(unit, accepted(tasks, {}), meter);
  });
}

Refused fail(Write& tx, std::span<const queue::Failure> tasks, const queue::RetryPolicy& policy) {
  Refused refused;
  queue::as_one(tx, [&](Write& unit) {
    refused = queue::fail(unit, tasks, policy);
    settle_unfinished(unit, accepted(tasks, refused));
  });
  return refused;
}

Refused release(Write& tx, std::span<const LeaseRef> tasks) {
  Refused refused;
  queue::as_one(tx, [&](Write& unit) {
    refused = queue::release(unit, tasks);
    settle_unfinished(unit, accepted(tasks, refused));
  });
  return refused;
}

std::int64_t reap_expired(Write& tx, int limit) {
  require_admin(tx, "taking back leases");
  std::int64_t reaped = 0;
  queue::as_one(tx, [&](Write& unit) { reaped = reap(unit, limit); });
  return reaped;
}

std::int64_t expire_lost(Write& tx, std::optional<UserId> user, int limit) {
  require_admin(tx, "settling tasks");
  return end_reservations(tx, lost(user ? tx.all(find_lost_of, *user, limit) : tx.all(find_lost, limit)));
}

void expire_lost_of(Write& tx, UserId user) { end_reservations(tx, lost(tx.all(find_lost_of, user, 1'000)), Wait::no); }

}  // namespace quarry::billing
