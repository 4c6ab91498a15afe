#include "quarry/billing/usage.hpp"

#include <fmt/format.h>

#include "billing/ledger_rows.hpp"
#include "billing/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/queue/claim_gate.hpp"
#include "quarry/store/list.hpp"

namespace quarry::billing {
namespace {

constexpr sql::Query<Balance(UserId, int)> list_periods{
    "billing.periods_of",
    "select " QUARRY_BALANCE_COLUMNS " from usage_periods where user_id = $1 order by period_start desc limit $2"};

constexpr store::ListOf<UsageEvent> all_events{"billing.list_usage_events", QUARRY_USAGE_EVENT_COLUMNS, "usage_events"};
// Ids are made in the order of time. A user's events go by their period first, as their index does.
constexpr store::Order<UsageEvent> by_id{"id", "id", [](const UsageEvent& event) { return store::key(event.id); }};
constexpr store::Order<UsageEvent> by_period{"period_start", "period_start",
                                             [](const UsageEvent& event) { return store::key(event.period_start); }};

}  // namespace

Usage usage(Read& tx, UserId user, Instant at) {
  Usage found{entitlement(tx, user, at), {}, true};
  const auto& may = found.entitlement;
  const auto open = find_balance(tx, user, may.period.start);
  found.period_is_open = open.has_value();
  found.balance = open.value_or(
      Balance{user, may.period.start, may.period.end, may.plan.compute_units_per_month * micro_per_unit, 0, 0});
  return found;
}

std::vector<Balance> periods_of(Read& tx, UserId user, int limit) {
  store::check_page({.limit = limit});
  if (!tx.actor().sees(user)) return {};
  return tx.all(list_periods, user, limit);
}

Page<UsageEvent> list_usage_events(Read& tx, const UsageFilter& filter, const PageRequest& page) {
  store::Conditions where;
  where.owned(tx.actor(), "user_id");
  if (filter.user_id) where.add("user_id = {}", *filter.user_id);
  if (filter.kind) where.add("kind = {}", *filter.kind);
  if (filter.job_id) where.add("job_id = {}", *filter.job_id);
  if (filter.task_id) where.add("task_id = {}", *filter.task_id);
  const bool of_one = filter.user_id || !tx.actor().sees_all();
  return store::list(tx, all_events, of_one ? by_period : by_id, store::Direction::descending, where, page);
}

std::int64_t sync_allowance(Write& tx, UserId user) {
  lock_user(tx, user);
  const auto may = entitlement(tx, user, tx.now());
  std::int64_t missing = 0;
  const bool is_open = find_balance(tx, user, may.period.start).has_value();
  if (is_open) {
    lock_balance(tx, user, may.period.start);
    const auto prefix = allowance_prefix(user, may.period.start);
    missing = may.plan.compute_units_per_month * micro_per_unit - posted(tx, user, may.period.start, prefix).units;
    post_difference(tx, user, may.period.start, prefix, missing);
  }
  if (missing > 0 || !is_open) queue::let_go(tx, user);
  return missing;
}

}  // namespace quarry::billing
