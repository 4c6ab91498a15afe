#pragma once
/// Lemon Squeezy's documents (JSON:API), read into what we use of them.
///
/// The shapes follow its public documentation: `meta` with event_name, test_mode and custom_data; `data` with type, id and
/// attributes. Numbers that are ids may come as numbers or as text. Times are ISO 8601.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/billing/subscriptions.hpp"

namespace quarry::billing {

/// What an event says of itself, as far as it can be read: nothing here makes an event unfit to be stored.
struct Envelope {
  bool is_document = false;  ///< a JSON object with `meta` and `data`
  std::optional<std::string> event_name;
  std::optional<std::string> object_type;
  std::optional<std::string> object_id;
  std::optional<std::string> subscription_id;  ///< of a subscription, or of what names one
  std::optional<std::string> customer_id;
  std::optional<UserId> checkout_user_id;  ///< as `read_custom_user`
  std::optional<Instant> updated_at;
  bool test_mode = false;
};
Envelope read_envelope(std::string_view body);

/// The user that the checkout was opened for: custom_data.user_id.
std::optional<UserId> read_custom_user(std::string_view body);

struct ProviderSubscription {
  std::string id;
  std::string customer_id;
  std::string order_id;
  std::string variant_id;
  SubscriptionStatus status = SubscriptionStatus::active;
  bool cancelled = false;
  bool is_free_pause = false;  ///< pause.mode is `free`: served on, without payments
  std::optional<Instant> trial_ends_at;
  std::optional<Instant> renews_at;
  std::optional<Instant> ends_at;
  std::optional<int> billing_anchor;
  Instant created_at;
  Instant updated_at;
};
/// Throws `invalid`, naming the field, for what is missing or is not what it should be.
ProviderSubscription read_subscription(std::string_view body);

struct ProviderInvoice {
  std::string id;
  std::string subscription_id;
  std::string billing_reason;  ///< initial, renewal, updated
  std::string status;          ///< pending, paid, void, refunded, partial_refund
  std::int64_t total = 0;      ///< in the currency's smallest unit
  std::int64_t refunded = 0;
  Instant created_at;
  Instant updated_at;
};
/// Throws as `read_subscription`.
ProviderInvoice read_invoice(std::string_view body);

inline constexpr std::string_view subscriptions_type = "subscriptions";
inline constexpr std::string_view invoices_type = "subscription-invoices";
inline constexpr std::string_view orders_type = "orders";

/// Which of two events of the same second is the later one: what ends something comes after what begins it.
int rank_of(std::string_view event_name) noexcept;

}  // namespace quarry::billing
