#include "billing/subscription_facts.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace quarry::billing {
namespace {

Instant updated_at(const SubscriptionNews& news) {
  return news.subscription ? news.subscription->updated_at : news.invoice->updated_at;
}

bool is_payment(std::string_view event_name) {
  return event_name == "subscription_payment_success" || event_name == "subscription_payment_recovered";
}

/// After the newest word on payments, if that is newer than the state.
SubscriptionStatus with_payments(SubscriptionStatus status, const SubscriptionNews& newest_payment) {
  const bool failed = newest_payment.event_name == "subscription_payment_failed";
  if (failed && (status == SubscriptionStatus::active || status == SubscriptionStatus::on_trial))
    return SubscriptionStatus::past_due;
  if (!failed && (status == SubscriptionStatus::past_due || status == SubscriptionStatus::unpaid))
    return SubscriptionStatus::active;
  return status;
}

bool pays_for_a_period(const ProviderInvoice& invoice) {
  const bool is_paid = invoice.status == "paid" || invoice.status == "refunded" || invoice.status == "partial_refund";
  return is_paid && invoice.billing_reason != "updated";
}

}  // namespace

std::optional<SubscriptionFacts> facts_of(std::vector<SubscriptionNews> news) {
  std::ranges::sort(news, {}, [](const SubscriptionNews& one) {
    return std::tuple(updated_at(one), rank_of(one.event_name), one.body_sha256);
  });
  const SubscriptionNews* newest = nullptr;
  const SubscriptionNews* newest_payment = nullptr;
  std::map<std::string, const ProviderInvoice*> invoices;
  for (const auto& one : news) {
    if (one.subscription) newest = &one;
    if (one.invoice) invoices[one.invoice->id] = &*one.invoice;
    if (one.event_name == "subscription_payment_failed" || is_payment(one.event_name)) newest_payment = &one;
  }
  if (!newest) return std::nullopt;
  SubscriptionFacts facts;
  facts.state = *newest->subscription;
  const auto& state = facts.state;
  facts.status = state.status;
  if (state.status == SubscriptionStatus::paused && state.is_free_pause) facts.status = SubscriptionStatus::active;
  if (newest_payment && updated_at(*newest_payment) > state.updated_at)
    facts.status = with_payments(facts.status, *newest_payment);
  facts.anchor_day = state.billing_anchor.value_or(day_of_month(state.created_at));
  Instant paid_at = state.created_at;
  for (const auto& [id, invoice] : invoices) {
    if (pays_for_a_period(*invoice)) paid_at = std::max(paid_at, invoice->created_at);
    if (invoice->refunded > 0 && invoice->total > 0)
      facts.refunds.push_back({invoice->created_at, std::min(invoice->refunded, invoice->total), invoice->total});
  }
  facts.current_period = period_at(facts.anchor_day, paid_at);
  return facts;
}

}  // namespace quarry::billing
