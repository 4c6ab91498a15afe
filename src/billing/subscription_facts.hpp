#pragma once
/// What holds of a subscription, from everything that was ever said of it, in whatever order it came.
///
/// - The newest event of the subscription itself is its state: status, plan, times. A pause free of charge is served on.
/// - The newest word on its payments wins over an older state: a failed one makes an active subscription past_due, a paid
/// one
///   makes a past_due or unpaid one active. A `recovered` that comes with a `success` is the same invoice, and nothing more.
/// - The current period is the one in which the newest invoice was paid for a period (initial or renewal, not the difference
///   of a change of plan), else the one in which the subscription was made.
/// - A refund takes back its share of the plan's units in the period of its invoice: once, by the invoice's newest state.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "billing/lemon_squeezy.hpp"

namespace quarry::billing {

/// One stored event of a subscription. `subscription` or `invoice` is set.
struct SubscriptionNews {
  std::string event_name;
  Bytes body_sha256;
  std::optional<ProviderSubscription> subscription;
  std::optional<ProviderInvoice> invoice;
};

struct Refund {
  Instant invoiced_at;
  std::int64_t refunded = 0;
  std::int64_t total = 0;
};

struct SubscriptionFacts {
  ProviderSubscription state;
  SubscriptionStatus status = SubscriptionStatus::active;
  int anchor_day = 1;
  Period current_period;
  std::vector<Refund> refunds;
};

/// Nothing when only invoices are known.
std::optional<SubscriptionFacts> facts_of(std::vector<SubscriptionNews> news);

}  // namespace quarry::billing
