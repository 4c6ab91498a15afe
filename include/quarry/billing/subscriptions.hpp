#pragma once
/// Who has subscribed to what, and the plan that follows.
///
/// A user may have several subscriptions, of which each gives its plan or does not:
///
/// | status    | the plan holds                                                                                   |
/// |-----------|--------------------------------------------------------------------------------------------------|
/// | on_trial  | yes                                                                                              |
/// | active    | yes                                                                                              |
/// | past_due  | yes: the provider tries the payment again for two weeks                                          |
/// | cancelled | until `ends_at`, or until the current period ends when there is none                             |
/// | paused    | no: nothing is paid, nothing is owed (a pause that is free of charge is stored as active)        |
/// | unpaid    | no: the tries are used up                                                                        |
/// | expired   | no                                                                                               |
///
/// Of those that hold, the one with the most compute units counts; with none, the plan `free`. Periods begin on the
/// subscription's anchor day, those of `free` on the day of the month on which the user was created.
///
/// Errors: `not_found`, `invalid` (an end that has passed, a limit, a cursor), `conflict`, `denied`, as each function
/// says. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/billing/period.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/core/id.hpp"
#include "quarry/store/page.hpp"

namespace quarry::billing {

using SubscriptionId = Id<struct SubscriptionTag>;

enum class SubscriptionStatus { on_trial, active, paused, past_due, unpaid, cancelled, expired };
BOOST_DESCRIBE_ENUM(SubscriptionStatus, on_trial, active, paused, past_due, unpaid, cancelled, expired)

struct Subscription {
  SubscriptionId id;
  UserId user_id;
  std::string plan_id;
  std::string provider;
  std::optional<std::string> provider_subscription_id;  ///< nothing: given, not sold
  std::optional<std::string> provider_customer_id;
  SubscriptionStatus status = SubscriptionStatus::active;
  Instant current_period_start;  ///< the period that was last paid for
  Instant current_period_end;
  bool cancel_at_period_end = false;
  std::optional<Instant> trial_ends_at;
  std::optional<Instant> renews_at;
  std::optional<Instant> ends_at;
  int anchor_day = 1;
  std::optional<Instant> provider_updated_at;  ///< of the news that made it what it is
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(Subscription, (),
                      (id, user_id, plan_id, provider, provider_subscription_id, provider_customer_id, status,
                       current_period_start, current_period_end, cancel_at_period_end, trial_ends_at, renews_at, ends_at,
                       anchor_day, provider_updated_at, created_at, updated_at))

/// Whether the subscription gives its plan at `at`, by the table above.
bool holds(const Subscription& subscription, Instant at) noexcept;

/// By id; nothing when there is none, or the actor does not see it.
std::optional<Subscription> find_subscription(Read& tx, SubscriptionId id);
/// By the provider's id.
std::optional<Subscription> find_subscription(Read& tx, std::string_view provider_subscription_id);
/// All of a user, the newest first.
std::vector<Subscription> subscriptions_of(Read& tx, UserId user);

struct SubscriptionFilter {
  std::optional<UserId> user_id{};
  std::optional<SubscriptionStatus> status{};
  std::optional<std::string> plan_id{};
};
/// By creation, the newest first.
Page<Subscription> list_subscriptions(Read& tx, const SubscriptionFilter& filter = {}, const PageRequest& page = {});

/// What a user may do at a moment.
struct Entitlement {
  Plan plan;
  std::optional<Subscription> subscription;  ///< that gives the plan; nothing for `free`
  Period period;
};
BOOST_DESCRIBE_STRUCT(Entitlement, (), (plan, subscription, period))

/// Throws `not_found` for a user who is not there or not seen. A moment in the past is judged by what is known now.
Entitlement entitlement(Read& tx, UserId user, Instant at);

struct GivenPlan {
  UserId user_id;
  std::string plan_id;
  std::optional<Instant> ends_at{};  ///< nothing: until `end_subscription`
};
/// A subscription that nobody pays for: for staff, for partners, to make up for something. Its periods begin on the day on
/// which it is given. The allowance of the period under way is raised at once. Throws `not_found` for the user or the plan,
/// `invalid` for an end that has passed, `denied` for whoever is neither the system nor an admin.
Subscription give_plan(Write& tx, const GivenPlan& given);

/// Ends a given subscription now. One that is sold is ended where it was bought: `conflict`. False when it had ended
/// already.
bool end_subscription(Write& tx, SubscriptionId id);

}  // namespace quarry::billing
