#pragma once
/// Subscriptions as rows: what the provider's news and the operator's gifts have in common.

#include "quarry/billing/subscriptions.hpp"

#define QUARRY_SUBSCRIPTION_COLUMNS                                                                                \
  "id, user_id, plan_id, provider, provider_subscription_id, provider_customer_id, status, current_period_start, " \
  "current_period_end, cancel_at_period_end, trial_ends_at, renews_at, ends_at, anchor_day, provider_updated_at, " \
  "created_at, updated_at"

namespace quarry::billing {

void insert_subscription(Write& tx, const Subscription& subscription);
/// Writes every column but the keys and `created_at`. Does nothing when they are as they were.
void rewrite_subscription(Write& tx, const Subscription& before, Subscription after);

/// Into the audit log: last of all in a transaction.
void record_subscription(Write& tx, std::string_view action, const Subscription& subscription);

}  // namespace quarry::billing
