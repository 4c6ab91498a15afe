/// Who may run now: the plan's limit of tasks at once, then the units that are left.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "billing/lease_rows.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/core/error.hpp"

namespace quarry::billing {
namespace {

using queue::ClaimedTask;
using queue::KeptBack;
using std::chrono::microseconds;

// The leases are few, and have an index of their own; by the user it would be all of the user's tasks, ended ones included.
constexpr sql::Query<std::int64_t(UserId)> count_running{
    "billing.count_running",
    sql::sqlite("select count(*) from task_queue indexed by idx_task_queue_lease"
                " where status = 'processing' and lease_until is not null and user_id = $1"),
    sql::postgres("with running as materialized (select user_id from task_queue where status = 'processing')"
                  " select count(*) from running where user_id = $1")};
constexpr sql::Query<Instant(TaskId)> find_created_at{"billing.task_created_at",
                                                      "select created_at from task_queue where id = $1"};

/// How long a task waits for one of its user's to end. Those that have waited long wait longer: each is looked at again a
/// few times only, so that a hundred thousand of them cost little.
microseconds patience(Instant now, Instant created_at, Random& random) {
  constexpr std::int64_t least = 1'000'000;
  constexpr std::int64_t most = 60'000'000;
  const auto wait = std::clamp((now.us - created_at.us) / 4, least, most);
  return microseconds(wait + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(wait / 4))));
}

/// Between two looks at tasks for which no units are left.
constexpr std::chrono::hours exhausted_look{1};

/// One user's tasks of a claim.
class UserGate {
 public:
  UserGate(Write& tx, UserId user, std::int64_t reserve_units, std::vector<KeptBack>& kept)
      : tx_(tx), user_(user), reserve_units_(reserve_units), kept_(kept) {}

  void judge(std::span<const ClaimedTask* const> tasks) {
    if (!try_lock_user(tx_, user_)) return keep_undecided(tasks);
    const auto may = open_period(tx_, user_).may;
    const auto taken = static_cast<std::int64_t>(tasks.size());
    const auto running = tx_.value(count_running, user_) - taken;
    const auto slots = std::clamp<std::int64_t>(may.plan.max_concurrent_tasks - running, 0, taken);
    const auto balance = lock(may.period.start, slots, running);
    if (!balance) return keep_undecided(tasks);
    const auto affordable = std::max<std::int64_t>(balance->remaining(), 0) / reserve_units_;
    const auto passing = static_cast<std::size_t>(std::min(slots, affordable));
    for (const auto* task : tasks.first(passing)) record(*task, may.period.start);
    const auto units = reserve_units_ * static_cast<std::int64_t>(passing);
    if (passing > 0 && !reserve_of_balance(tx_, user_, may.period.start, units))
      throw_bug("a balance was spent by others while it was locked");
    const bool is_exhausted = affordable < std::max<std::int64_t>(slots, 1);
    for (const auto* task : tasks.subspan(passing)) is_exhausted ? keep_exhausted(*task, may) : keep_waiting(*task, may);
  }

 private:
  /// Nothing when somebody else has the balance.
  std::optional<Balance> lock(Instant period_start, std::int64_t slots, std::int64_t running) {
    const auto before = find_balance(tx_, user_, period_start);
    // Too little is left, and more is reserved than runs: somebody was lost on the way.
    if (before && before->remaining() < reserve_units_ * slots && before->reserved > running * reserve_units_)
      expire_lost_of(tx_, user_);
    return try_lock_balance(tx_, user_, period_start);
  }

  /// Somebody else claims, finishes or changes something for this user. Not to be waited for: they may wait for a host or a
  /// counter that this claim holds.
  void keep_undecided(std::span<const ClaimedTask* const> tasks) {
    for (const auto* task : tasks) kept_.push_back({task->id, Instant{}});
  }

  void keep_exhausted(const ClaimedTask& task, const Entitlement& may) {
    keep(task, std::min<microseconds>(may.period.end - tx_.now(), exhausted_look),
         fmt::format("the compute units of the plan '{}' are used up; the next period begins at {}", may.plan.id,
                     to_iso8601(may.period.end)));
  }

  void keep_waiting(const ClaimedTask& task, const Entitlement& may) {
    keep(task, patience(tx_.now(), tx_.value(find_created_at, task.id), tx_.random()),
         fmt::format("as many tasks run as the plan '{}' allows at once: {}", may.plan.id, may.plan.max_concurrent_tasks));
  }

  void record(const ClaimedTask& task, Instant period_start) {
    const auto event_id = lease_event_id(task.id, task.lease_token, tx_.now());
    const UsageEventRow row{tx_.new_id<UsageEventId>(),
                            event_id,
                            user_,
                            UsageKind::reserve,
                            reserve_units_,
                            period_start,
                            {},
                            task.job_id,
                            task.id,
                            {},
                            tx_.now()};
    if (!insert_event_row(tx_, row)) throw_bug("a lease was metered before: " + event_id);
  }

  void keep(const ClaimedTask& task, microseconds wait, std::string reason) {
    kept_.push_back({task.id, tx_.now() + std::max(wait, microseconds(1)), std::move(reason)});
  }

  Write& tx_;
  const UserId user_;
  const std::int64_t reserve_units_;
  std::vector<KeptBack>& kept_;
};

}  // namespace

Gate::Gate(const MeterOptions& options) : options_(options) {
  if (options_.reserve_units < 1 || options_.reserve_units > micro_units_max)
    throw_invalid(
        fmt::format("reserve_units {}: they must be from 1 to {} micro-units", options_.reserve_units, micro_units_max));
}

std::vector<KeptBack> Gate::judge(Write& tx, std::span<const ClaimedTask> tasks) {
  std::map<UserId, std::vector<const ClaimedTask*>> by_user;
  for (const auto& task : tasks)
    if (task.user_id) by_user[*task.user_id].push_back(&task);
  std::vector<KeptBack> kept;
  for (const auto& [user, theirs] : by_user) UserGate(tx, user, options_.reserve_units, kept).judge(theirs);
  return kept;
}

}  // namespace quarry::billing
