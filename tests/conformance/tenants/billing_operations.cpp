/// What users have subscribed to, and what they have used.

#include "conformance/tenants/tenants_test.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/ledger.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/billing/usage.hpp"

namespace quarry::test {

Operations TenantStores::of_billing() {
  const std::string subscriptions = "user_subscriptions", periods = "usage_periods", events = "usage_events",
                    days = "usage_analytics";
  const auto is_recorded = [](const billing::Entry& entry) { return entry.outcome == billing::LedgerOutcome::recorded; };
  return {
      {subscriptions, "billing::find_subscription",
       [&](Write& tx) { return billing::find_subscription(tx, subscription_).has_value(); }},
      {subscriptions, "billing::find_subscription",
       [](Write& tx) { return billing::find_subscription(tx, "bought").has_value(); }},
      {subscriptions, "billing::subscriptions_of", [](Write& tx) { return !billing::subscriptions_of(tx, bob_).empty(); }},
      {subscriptions, "billing::list_subscriptions",
       [](Write& tx) { return !billing::list_subscriptions(tx).rows.empty(); }},
      {subscriptions, "billing::list_subscriptions",
       [](Write& tx) { return !billing::list_subscriptions(tx, {.user_id = bob_}).rows.empty(); }},
      {subscriptions, "billing::entitlement",
       [](Write& tx) { return billing::entitlement(tx, bob_, tx.now()).plan.id == "starter"; }},
      {periods, "billing::usage", [](Write& tx) { return billing::usage(tx, bob_, tx.now()).balance.granted > 0; }},
      {periods, "billing::periods_of", [](Write& tx) { return !billing::periods_of(tx, bob_).empty(); }},
      {periods, "billing::check_usage", [](Write& tx) { return billing::check_usage(tx).periods > 0; }},
      {periods, "billing::check_usage", [](Write& tx) { return billing::check_usage(tx, bob_).periods > 0; }},
      {periods, "billing::sync_allowance", [](Write& tx) { return billing::sync_allowance(tx, bob_), true; }},
      {events, "billing::reserve",
       [=](Write& tx) { return is_recorded(billing::reserve(tx, {.user_id = bob_, .event_id = "x", .units = 1})); }},
      {events, "billing::settle",
       [=](Write& tx) { return is_recorded(billing::settle(tx, {.event_id = "x", .reservation = "e", .units = 1})); }},
      {events, "billing::release",
       [=](Write& tx) {
         return is_recorded(billing::release(tx, billing::EndReservation{"x", "e"}));
       }},
      {events, "billing::expire",
       [=](Write& tx) {
         return is_recorded(billing::expire(tx, billing::EndReservation{"x", "e"}));
       }},
      {events, "billing::find_usage_event", [](Write& tx) { return billing::find_usage_event(tx, "e").has_value(); }},
      {events, "billing::list_usage_events", [](Write& tx) { return !billing::list_usage_events(tx).rows.empty(); }},
      {events, "billing::list_usage_events",
       [](Write& tx) { return !billing::list_usage_events(tx, {.user_id = bob_}).rows.empty(); }},
      {days, "billing::daily_usage", [](Write& tx) { return !billing::daily_usage(tx, {}).empty(); }},
      {days, "billing::daily_usage", [](Write& tx) { return !billing::daily_usage(tx, {.user_id = bob_}).empty(); }},
  };
}

Operations TenantStores::of_plans_and_metering() {
  const std::string subscriptions = "user_subscriptions", events = "usage_events", days = "usage_analytics";
  return {
      everybodys(subscriptions, "billing::give_plan",
                 [](Write& tx) { billing::give_plan(tx, {.user_id = bob_, .plan_id = "free"}); }),
      everybodys(subscriptions, "billing::end_subscription",
                 [](Write& tx) {
                   const auto given = billing::give_plan(tx, {.user_id = bob_, .plan_id = "free"});
                   billing::end_subscription(tx, given.id);
                 }),
      everybodys(subscriptions, "billing::create_plan",
                 [](Write& tx) {
                   billing::create_plan(tx, {"x", "x"});
                 }),
      everybodys(subscriptions, "billing::update_plan",
                 [](Write& tx) { billing::update_plan(tx, "starter", {.name = "x"}); }),
      everybodys(events, "billing::set_enforced", [](Write& tx) { billing::set_enforced(tx, true); }),
      everybodys(events, "billing::grant",
                 [](Write& tx) {
                   billing::grant(tx, {bob_, "x", 1});
                 }),
      everybodys(events, "billing::adjust",
                 [](Write& tx) {
                   billing::adjust(tx, {bob_, "x", -1});
                 }),
      everybodys(days, "billing::roll_up", [](Write& tx) { billing::roll_up(tx, tx.now()); }),
      everybodys(days, "billing::count_api_calls", [](Write& tx) { billing::count_api_calls(tx, bob_); }),
      everybodys(subscriptions, "billing::list_webhook_events", [](Write& tx) { billing::list_webhook_events(tx); }),
      everybodys(subscriptions, "billing::webhook_events_to_replay",
                 [](Write& tx) { billing::webhook_events_to_replay(tx, true); }),
  };
}

}  // namespace quarry::test
