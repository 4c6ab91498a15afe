#include "quarry/billing/subscriptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "billing/ledger_rows.hpp"
#include "billing/rules.hpp"
#include "billing/subscription_rows.hpp"
#include "quarry/billing/usage.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/list.hpp"
#include "quarry/system/record.hpp"

namespace quarry::billing {
namespace {

constexpr sql::Query<Subscription(SubscriptionId)> find_subscription_row{
    "billing.find_subscription", "select " QUARRY_SUBSCRIPTION_COLUMNS " from user_subscriptions where id = $1"};
constexpr sql::Query<Subscription(std::string_view)> find_by_provider{
    "billing.find_subscription_of_provider",
    "select " QUARRY_SUBSCRIPTION_COLUMNS " from user_subscriptions where provider_subscription_id = $1"};
constexpr sql::Query<Subscription(UserId)> find_of_user{
    "billing.subscriptions_of",
    "select " QUARRY_SUBSCRIPTION_COLUMNS " from user_subscriptions where user_id = $1 order by created_at desc, id desc"};

constexpr sql::Command<void(Subscription)> insert_row{
    "billing.insert_subscription", "insert into user_subscriptions (" QUARRY_SUBSCRIPTION_COLUMNS
                                   ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"};
constexpr sql::Command<void(Subscription)> rewrite_row{
    "billing.rewrite_subscription",
    sql::sqlite("update user_subscriptions set user_id = $2, plan_id = $3, provider_customer_id = $6, status = $7,"
                " current_period_start = $8, current_period_end = $9, cancel_at_period_end = $10, trial_ends_at = $11,"
                " renews_at = $12, ends_at = $13, anchor_day = $14, provider_updated_at = $15, updated_at = $17"
                " where id = $1 and provider = $4 and provider_subscription_id is $5 and created_at = $16"),
    sql::postgres("update user_subscriptions set user_id = $2, plan_id = $3, provider_customer_id = $6, status = $7,"
                  " current_period_start = $8, current_period_end = $9, cancel_at_period_end = $10, trial_ends_at = $11,"
                  " renews_at = $12, ends_at = $13, anchor_day = $14, provider_updated_at = $15, updated_at = $17"
                  " where id = $1 and provider = $4 and provider_subscription_id is not distinct from $5"
                  " and created_at = $16")};

constexpr sql::Query<Instant(UserId)> find_user_created_at{"billing.user_created_at",
                                                           "select created_at from users where id = $1"};

constexpr store::ListOf<Subscription> all_subscriptions{"billing.list_subscriptions", QUARRY_SUBSCRIPTION_COLUMNS,
                                                        "user_subscriptions"};
constexpr store::Order<Subscription> by_creation{"created_at", "created_at",
                                                 [](const Subscription& s) { return store::key(s.created_at); }};

bool same_content(const Subscription& a, Subscription b) {
  b.updated_at = a.updated_at;
  const auto tie = [](const Subscription& s) {
    return std::tie(s.user_id, s.plan_id, s.provider_customer_id, s.status, s.current_period_start, s.current_period_end,
                    s.cancel_at_period_end, s.trial_ends_at, s.renews_at, s.ends_at, s.anchor_day, s.provider_updated_at);
  };
  return tie(a) == tie(b);
}

}  // namespace

bool holds(const Subscription& subscription, Instant at) noexcept {
  switch (subscription.status) {
    case SubscriptionStatus::on_trial:
    case SubscriptionStatus::active:
    case SubscriptionStatus::past_due:
      return true;
    case SubscriptionStatus::cancelled:
      return at < subscription.ends_at.value_or(subscription.current_period_end);
    case SubscriptionStatus::paused:
    case SubscriptionStatus::unpaid:
    case SubscriptionStatus::expired:
      break;
  }
  return false;
}

void insert_subscription(Write& tx, const Subscription& subscription) { tx.run(insert_row, subscription); }

void rewrite_subscription(Write& tx, const Subscription& before, Subscription after) {
  if (same_content(before, after)) return;
  after.updated_at = std::max(tx.now(), before.updated_at + std::chrono::microseconds(1));
  if (tx.run(rewrite_row, after) != 1) throw_bug("a subscription was rewritten under another key");
}

void record_subscription(Write& tx, std::string_view action, const Subscription& subscription) {
  // The plan's id is the operator's own, and may have any characters.
  const boost::json::object details{
      {"user_id", to_string(subscription.user_id)},
      {"plan_id", subscription.plan_id},
      {"provider", subscription.provider},
      {"status", boost::describe::enum_to_string(subscription.status, "unknown")},
      {"ends_at", subscription.ends_at ? boost::json::value(to_iso8601(*subscription.ends_at)) : boost::json::value()}};
  system::record(tx, {.action = std::string(action),
                      .resource_type = "subscription",
                      .resource_id = subscription.id.value,
                      .details = Json{boost::json::serialize(details)}});
}

std::optional<Subscription> find_subscription(Read& tx, SubscriptionId id) {
  auto found = tx.one(find_subscription_row, id);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

std::optional<Subscription> find_subscription(Read& tx, std::string_view provider_subscription_id) {
  auto found = tx.one(find_by_provider, provider_subscription_id);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

std::vector<Subscription> subscriptions_of(Read& tx, UserId user) {
  if (!tx.actor().sees(user)) return {};
  return tx.all(find_of_user, user);
}

Page<Subscription> list_subscriptions(Read& tx, const SubscriptionFilter& filter, const PageRequest& page) {
  store::Conditions where;
  where.owned(tx.actor(), "user_id");
  if (filter.user_id) where.add("user_id = {}", *filter.user_id);
  if (filter.status) where.add("status = {}", *filter.status);
  if (filter.plan_id) where.add("plan_id = {}", *filter.plan_id);
  return store::list(tx, all_subscriptions, by_creation, store::Direction::descending, where, page);
}

Entitlement entitlement(Read& tx, UserId user, Instant at) {
  require_seen(tx, user);
  const auto created_at = tx.one(find_user_created_at, user);
  if (!created_at) throw_no_user(user);
  std::optional<Entitlement> best;
  for (auto& subscription : tx.all(find_of_user, user)) {
    if (!holds(subscription, at)) continue;
    auto plan = get_plan(tx, subscription.plan_id);
    if (best && plan.compute_units_per_month <= best->plan.compute_units_per_month) continue;
    const auto period = period_at(subscription.anchor_day, at);
    best = Entitlement{std::move(plan), std::move(subscription), period};
  }
  if (best) return *std::move(best);
  return {get_plan(tx, free_plan), {}, period_at(day_of_month(*created_at), at)};
}

Subscription give_plan(Write& tx, const GivenPlan& given) {
  require_admin(tx, "giving a plan");
  const auto now = tx.now();
  if (!tx.one(find_user_created_at, given.user_id)) throw_no_user(given.user_id);
  if (given.ends_at && *given.ends_at <= now)
    throw_invalid(fmt::format("the plan would end at {}, which has passed", to_iso8601(*given.ends_at)));
  const auto plan = get_plan(tx, given.plan_id);
  lock_user(tx, given.user_id);
  const int anchor = day_of_month(now);
  const auto period = period_at(anchor, now);
  Subscription made;
  made.id = tx.new_id<SubscriptionId>();
  made.user_id = given.user_id;
  made.plan_id = plan.id;
  made.provider = "quarry";
  // With an end that is known it is one that was cancelled, and holds until then.
  made.status = given.ends_at ? SubscriptionStatus::cancelled : SubscriptionStatus::active;
  made.current_period_start = period.start;
  made.current_period_end = period.end;
  made.cancel_at_period_end = given.ends_at.has_value();
  made.ends_at = given.ends_at;
  made.anchor_day = anchor;
  made.created_at = made.updated_at = now;
  insert_subscription(tx, made);
  sync_allowance(tx, given.user_id);
  record_subscription(tx, "subscription.create", made);
  return made;
}

bool end_subscription(Write& tx, SubscriptionId id) {
  require_admin(tx, "ending a subscription");
  auto before = tx.one(find_subscription_row, id);
  if (before) {
    lock_user(tx, before->user_id);
    before = tx.one(find_subscription_row, id);
  }
  if (!before) throw Error(ErrorCode::not_found, fmt::format("there is no subscription {}", to_string(id)));
  if (before->provider_subscription_id)
    throw Error(ErrorCode::conflict,
                fmt::format("subscription {} is sold by {}: end it there, and its news will end it here", to_string(id),
                            before->provider));
  if (!holds(*before, tx.now())) return false;
  auto after = *before;
  after.status = SubscriptionStatus::expired;
  after.ends_at = tx.now();
  rewrite_subscription(tx, *before, after);
  sync_allowance(tx, before->user_id);
  record_subscription(tx, "subscription.change", after);
  return true;
}

}  // namespace quarry::billing
