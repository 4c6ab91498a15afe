/// Stored events become subscriptions, plans and units.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "billing/body.hpp"
#include "billing/inbox_rows.hpp"
#include "billing/ledger_rows.hpp"
#include "billing/rules.hpp"
#include "billing/subscription_facts.hpp"
#include "billing/subscription_rows.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/usage.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::billing {
namespace {

struct StoredEvent {
  WebhookEventId id;
  std::string event_name;
  std::optional<std::string> object_type;
  std::optional<std::string> subscription_id;
  Bytes body_sha256;
  bool test_mode;
  WebhookStatus status;
  Bytes raw_body;
  std::optional<std::string> key_id;
  std::string clear{};  ///< the body, by `open_all`

  const std::string& body() const { return clear; }
};
BOOST_DESCRIBE_STRUCT(StoredEvent, (),
                      (id, event_name, object_type, subscription_id, body_sha256, test_mode, status, raw_body, key_id))
#define QUARRY_STORED_COLUMNS \
  "id, event_name, object_type, subscription_id, body_sha256, test_mode, status, raw_body, key_id"

constexpr sql::Query<StoredEvent(WebhookEventId)> find_stored{
    "billing.find_stored", "select " QUARRY_STORED_COLUMNS " from webhook_events where id = $1"};
// Locked: of two who work out one subscription, the later one sees what the earlier one saw, and its own event besides.
constexpr sql::Query<StoredEvent(std::string_view)> lock_of_subscription{
    "billing.events_of_subscription",
    sql::sqlite("select " QUARRY_STORED_COLUMNS
                " from webhook_events where subscription_id = $1 and test_mode = false order by id"),
    sql::postgres("select " QUARRY_STORED_COLUMNS
                  " from webhook_events where subscription_id = $1 and test_mode = false order by id for no key update")};
constexpr sql::Query<StoredEvent(std::string_view, std::string_view)> find_events_of_object{
    "billing.events_of_object", "select " QUARRY_STORED_COLUMNS
                                " from webhook_events where object_type = $1 and object_id = $2 and test_mode = false"
                                " order by provider_updated_at desc, id desc"};
constexpr sql::Query<UserId(std::string_view)> find_user_of_customer{
    "billing.user_of_customer",
    "select user_id from user_subscriptions where provider_customer_id = $1 order by created_at, id limit 1"};
constexpr sql::Query<std::int64_t(UserId)> count_user{"billing.count_user", "select count(*) from users where id = $1"};
// Said twice, so that the index of what waits is used.
constexpr sql::Query<std::string(int)> find_parked{
    "billing.parked_subscriptions",
    "select distinct subscription_id from webhook_events where status = 'parked' and status <> 'processed'"
    " and subscription_id is not null order by subscription_id limit $1"};
constexpr sql::Command<void(WebhookEventId, WebhookStatus, std::optional<std::string>, std::optional<Instant>)> mark{
    "billing.mark_webhook",
    "update webhook_events set status = $2, error_message = $3, processed_at = $4, attempts = attempts + 1 where id = $1"};

/// Why a subscription cannot be worked out yet; nothing when it was.
using Waits = std::optional<std::string>;

void mark_processed(Write& tx, WebhookEventId id) { tx.run(mark, id, WebhookStatus::processed, std::nullopt, tx.now()); }

/// The event as news; nothing for one that cannot be read, which does not hold up the others.
std::optional<SubscriptionNews> news_of(const StoredEvent& event) {
  try {
    SubscriptionNews news{event.event_name, event.body_sha256, {}, {}};
    if (event.object_type == subscriptions_type) news.subscription = read_subscription(event.body());
    if (event.object_type == invoices_type) news.invoice = read_invoice(event.body());
    if (!news.subscription && !news.invoice) return std::nullopt;
    return news;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid) throw;
    return std::nullopt;
  }
}

/// With their bodies in clear.
std::vector<StoredEvent> open_all(std::vector<StoredEvent> events, const system::KeyRing* ring) {
  for (auto& event : events) {
    const std::string_view stored(reinterpret_cast<const char*>(event.raw_body.data()), event.raw_body.size());
    event.clear = open_body(ring, event.id, event.key_id, stored);
    event.raw_body.clear();
  }
  return events;
}

/// Whose subscription it is: as the checkout said, else as the order's did, else whoever the customer was before.
std::optional<UserId> find_owner(Read& tx, std::span<const StoredEvent> events, const SubscriptionFacts& facts,
                                 const system::KeyRing* ring) {
  std::optional<UserId> owner;
  for (const auto& event : events)
    if (!owner) owner = read_custom_user(event.body());
  if (!owner && !facts.state.order_id.empty())
    for (const auto& order : open_all(tx.all(find_events_of_object, orders_type, facts.state.order_id), ring))
      if (!owner) owner = read_custom_user(order.body());
  if (!owner) owner = tx.one(find_user_of_customer, facts.state.customer_id);
  if (owner && tx.value(count_user, *owner) == 0) owner.reset();
  return owner;
}

/// What refunds take back of the period under way. Periods that are over are not opened again.
void sync_refunds(Write& tx, const Subscription& subscription, const SubscriptionFacts& facts) {
  const auto now = tx.now();
  const auto period = period_at(subscription.anchor_day, now);
  __extension__ using Wide = __int128;
  std::int64_t taken_back = 0;
  const auto plan = get_plan(tx, subscription.plan_id);
  const auto allowance = plan.compute_units_per_month * micro_per_unit;
  for (const auto& refund : facts.refunds)
    if (period.contains(refund.invoiced_at))
      taken_back += static_cast<std::int64_t>(Wide{allowance} * refund.refunded / refund.total);
  taken_back = std::min(taken_back, allowance);
  if (taken_back == 0 || !holds(subscription, now)) return;
  const auto open = open_period(tx, subscription.user_id);
  if (!open.may.subscription || open.may.subscription->id != subscription.id) return;  // another one gives the plan
  lock_balance(tx, subscription.user_id, period.start);
  const auto prefix =
      fmt::format("refund:{}:{}", *subscription.provider_subscription_id, to_iso8601(period.start).substr(0, 10));
  const auto before = posted(tx, subscription.user_id, period.start, prefix).units;
  post_difference(tx, subscription.user_id, period.start, prefix, -taken_back - before);
}

/// To its user: a renewal alone is not worth an entry of its own.
bool means_another(const Subscription& a, const Subscription& b) {
  const auto tie = [](const Subscription& s) {
    return std::tie(s.user_id, s.plan_id, s.status, s.cancel_at_period_end, s.ends_at);
  };
  return tie(a) != tie(b);
}

void store(Write& tx, UserId owner, const std::string& plan_id, const SubscriptionFacts& facts) {
  lock_user(tx, owner);
  const auto& state = facts.state;
  const auto before = find_subscription(tx, state.id);
  // What was newer has been purged since: a message that comes again after all that time does not bring its state back.
  if (before && before->provider_updated_at && *before->provider_updated_at > state.updated_at) return;
  Subscription after = before.value_or(Subscription{});
  if (!before) after.id = tx.new_id<SubscriptionId>();
  after.user_id = owner;
  after.plan_id = plan_id;
  after.provider = "lemonsqueezy";
  after.provider_subscription_id = state.id;
  after.provider_customer_id = state.customer_id;
  after.status = facts.status;
  after.current_period_start = facts.current_period.start;
  after.current_period_end = facts.current_period.end;
  after.cancel_at_period_end = state.cancelled;
  after.trial_ends_at = state.trial_ends_at;
  after.renews_at = state.renews_at;
  after.ends_at = state.ends_at;
  after.anchor_day = facts.anchor_day;
  after.provider_updated_at = state.updated_at;
  if (before) {
    rewrite_subscription(tx, *before, after);
  } else {
    after.created_at = state.created_at;
    after.updated_at = tx.now();
    insert_subscription(tx, after);
  }
  sync_allowance(tx, owner);
  sync_refunds(tx, after, facts);
  if (!before)
    record_subscription(tx, "subscription.create", after);
  else if (means_another(*before, after))
    record_subscription(tx, "subscription.change", after);
}

/// The plan that the variant is sold as. What gives nothing any more ends with the plan that it had, also when its last
/// variant is not known: otherwise it would go on giving.
std::optional<std::string> plan_of(Read& tx, const SubscriptionFacts& facts) {
  if (auto plan = find_plan_of_variant(tx, facts.state.variant_id)) return std::move(plan->id);
  const bool goes_on = facts.status == SubscriptionStatus::on_trial || facts.status == SubscriptionStatus::active ||
                       facts.status == SubscriptionStatus::past_due;
  const auto before = goes_on ? std::nullopt : find_subscription(tx, facts.state.id);
  return before ? std::optional(before->plan_id) : std::nullopt;
}

/// Works a subscription out from all that is stored of it, and marks what was read.
Waits apply_subscription(Write& tx, const std::string& subscription_id, const system::KeyRing* ring) {
  const auto events = open_all(tx.all(lock_of_subscription, subscription_id), ring);
  std::vector<SubscriptionNews> news;
  std::vector<WebhookEventId> done;
  for (const auto& event : events) {
    auto one = news_of(event);
    if (!one) continue;
    news.push_back(*std::move(one));
    if (event.status != WebhookStatus::processed) done.push_back(event.id);
  }
  const auto facts = facts_of(std::move(news));
  if (!facts) return fmt::format("the subscription {} is not known yet", subscription_id);
  const auto plan_id = plan_of(tx, *facts);
  if (!plan_id)
    return fmt::format("no plan is sold as variant {}: `quarry plan set` says which one is", facts->state.variant_id);
  const auto owner = find_owner(tx, events, *facts, ring);
  if (!owner) return fmt::format("the user of the subscription {} is not known: no event names one", subscription_id);
  store(tx, *owner, *plan_id, *facts);
  for (const auto id : done) mark_processed(tx, id);
  return std::nullopt;
}

/// What waited may have come with this event.
void retry_parked(Write& tx, const system::KeyRing* ring) {
  for (const auto& subscription : tx.all(find_parked, 100)) apply_subscription(tx, subscription, ring);
}

Waits apply(Write& tx, const StoredEvent& event, const system::KeyRing* ring) {
  if (!read_envelope(event.body()).is_document) throw_invalid("the event is not a JSON document with meta and data");
  const bool is_of_subscription = event.object_type == subscriptions_type || event.object_type == invoices_type;
  if (!is_of_subscription || event.test_mode) {
    if (event.status == WebhookStatus::received && rank_of(event.event_name) > rank_of("subscription_expired") &&
        !event.event_name.starts_with("license_key_"))
      log::warn("a payment event of a kind that is not known was stored: {}", event.event_name);
    return std::nullopt;
  }
  // Says what is wrong with it, if something is.
  if (event.object_type == subscriptions_type) read_subscription(event.body());
  if (event.object_type == invoices_type) read_invoice(event.body());
  if (!event.subscription_id) throw_invalid("the event does not name its subscription");
  return apply_subscription(tx, *event.subscription_id, ring);
}

}  // namespace

WebhookEvent process(Write& tx, WebhookEventId id, const system::KeyRing* ring) {
  require_admin(tx, "the inbox of payments");
  auto found = tx.all(find_stored, id);
  if (found.empty()) throw Error(ErrorCode::not_found, fmt::format("there is no payment event {}", to_string(id)));
  try {
    const auto waits = tx.attempt([&] {
      const auto event = std::move(open_all(std::move(found), ring).front());
      auto reason = apply(tx, event, ring);
      if (!reason && event.object_type == orders_type && !event.test_mode) retry_parked(tx, ring);
      return reason;
    });
    if (waits)
      tx.run(mark, id, WebhookStatus::parked, waits, std::nullopt);
    else if (find_webhook_event(tx, id)->status != WebhookStatus::processed)
      mark_processed(tx, id);
  } catch (const Error& error) {
    // What another run may mend is not the event's fault, nor is a lost connection.
    if (error.retryable() || error.poisons_connection() || error.code() == ErrorCode::unavailable) throw;
    tx.run(mark, id, WebhookStatus::failed, error.client_message(), std::nullopt);
  }
  return *find_webhook_event(tx, id);
}

}  // namespace quarry::billing
