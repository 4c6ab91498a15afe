#include "billing/lemon_squeezy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/describe/enum_from_string.hpp>
#include <boost/json.hpp>

#include "quarry/core/error.hpp"

namespace quarry::billing {
namespace {

namespace json = boost::json;

/// Nothing when it is not JSON, or nested deeper than any event.
std::optional<json::object> parse_document(std::string_view body) {
  json::error_code error;
  auto value = json::parse({body.data(), body.size()}, error, {}, {.max_depth = 16});
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

const json::value* find_in(const json::object& object, std::initializer_list<std::string_view> path) {
  const json::object* at = &object;
  const json::value* found = nullptr;
  for (const auto name : path) {
    if (!at) return nullptr;
    found = at->if_contains(name);
    if (!found) return nullptr;
    at = found->if_object();
  }
  return found;
}

/// Text, or a number as text: ids come as both.
std::optional<std::string> text_of(const json::value* value) {
  if (!value) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(text->data(), text->size());
  if (const auto* number = value->if_int64()) return std::to_string(*number);
  if (const auto* number = value->if_uint64()) return std::to_string(*number);
  return std::nullopt;
}

bool is_true(const json::value* value) { return value && value->is_bool() && value->as_bool(); }

std::optional<Instant> moment_of(const json::value* value) {
  const auto text = value && value->is_string() ? text_of(value) : std::nullopt;
  if (!text) return std::nullopt;
  try {
    return parse_iso8601(*text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The fields of an event's object, each with the name that an error tells.
class Attributes {
 public:
  explicit Attributes(std::string_view body) : document_(parse_document(body)) {
    if (!document_) throw_invalid("the event is not a JSON document");
  }
  const json::value* find(std::string_view name) const { return find_in(*document_, {"data", "attributes", name}); }
  std::string id() const { return require(text_of(find_in(*document_, {"data", "id"})), "id"); }
  std::string text(std::string_view name) const { return require(text_of(find(name)), name); }
  std::string text_or(std::string_view name, std::string other) const {
    return text_of(find(name)).value_or(std::move(other));
  }
  Instant moment(std::string_view name) const { return require(moment_of(find(name)), name); }
  /// Null, and what is not there, is no moment; what is no time is an error.
  std::optional<Instant> maybe_moment(std::string_view name) const {
    const auto* value = find(name);
    if (!value || value->is_null()) return std::nullopt;
    return moment(name);
  }
  std::int64_t amount(std::string_view name) const {
    const auto* value = find(name);
    if (!value || value->is_null()) return 0;
    const auto* number = value->if_int64();
    if (!number || *number < 0) throw_field(name);
    return *number;
  }

 private:
  [[noreturn]] static void throw_field(std::string_view name) {
    throw_invalid(fmt::format("the event's field '{}' is missing or is not what it should be", name));
  }
  template <class T>
  static T require(std::optional<T> value, std::string_view name) {
    if (!value) throw_field(name);
    return *std::move(value);
  }
  std::optional<json::object> document_;
};

std::optional<UserId> custom_user_of(const json::object& document) {
  const auto text = text_of(find_in(document, {"meta", "custom_data", "user_id"}));
  if (!text) return std::nullopt;
  try {
    return UserId{parse_uuid(*text)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

Envelope read_envelope(std::string_view body) {
  Envelope envelope;
  const auto document = parse_document(body);
  if (!document) return envelope;
  envelope.is_document = document->contains("meta") && document->contains("data");
  envelope.event_name = text_of(find_in(*document, {"meta", "event_name"}));
  envelope.object_type = text_of(find_in(*document, {"data", "type"}));
  envelope.object_id = text_of(find_in(*document, {"data", "id"}));
  envelope.customer_id = text_of(find_in(*document, {"data", "attributes", "customer_id"}));
  envelope.checkout_user_id = custom_user_of(*document);
  envelope.updated_at = moment_of(find_in(*document, {"data", "attributes", "updated_at"}));
  envelope.test_mode =
      is_true(find_in(*document, {"meta", "test_mode"})) || is_true(find_in(*document, {"data", "attributes", "test_mode"}));
  if (envelope.object_type == subscriptions_type) envelope.subscription_id = envelope.object_id;
  if (envelope.object_type == invoices_type)
    envelope.subscription_id = text_of(find_in(*document, {"data", "attributes", "subscription_id"}));
  return envelope;
}

std::optional<UserId> read_custom_user(std::string_view body) {
  const auto document = parse_document(body);
  return document ? custom_user_of(*document) : std::nullopt;
}

ProviderSubscription read_subscription(std::string_view body) {
  const Attributes attributes(body);
  ProviderSubscription read;
  read.id = attributes.id();
  read.customer_id = attributes.text("customer_id");
  read.order_id = attributes.text_or("order_id", "");
  read.variant_id = attributes.text("variant_id");
  const auto status = attributes.text("status");
  if (!boost::describe::enum_from_string(status.c_str(), read.status))
    throw_invalid(fmt::format("the subscription's status '{}' is not one that is known", status.substr(0, 40)));
  read.cancelled = is_true(attributes.find("cancelled"));
  if (const auto* pause = attributes.find("pause"); pause && pause->is_object())
    read.is_free_pause = text_of(pause->as_object().if_contains("mode")) == "free";
  read.trial_ends_at = attributes.maybe_moment("trial_ends_at");
  read.renews_at = attributes.maybe_moment("renews_at");
  read.ends_at = attributes.maybe_moment("ends_at");
  if (const auto* anchor = attributes.find("billing_anchor"); anchor && anchor->is_int64())
    if (const auto day = anchor->as_int64(); day >= 1 && day <= 31) read.billing_anchor = static_cast<int>(day);
  read.created_at = attributes.moment("created_at");
  read.updated_at = attributes.moment("updated_at");
  return read;
}

ProviderInvoice read_invoice(std::string_view body) {
  const Attributes attributes(body);
  ProviderInvoice read;
  read.id = attributes.id();
  read.subscription_id = attributes.text("subscription_id");
  read.billing_reason = attributes.text_or("billing_reason", "renewal");
  read.status = attributes.text("status");
  read.total = attributes.amount("total");
  read.refunded = attributes.amount("refunded_amount");
  if (read.refunded == 0 && (read.status == "refunded" || is_true(attributes.find("refunded")))) read.refunded = read.total;
  read.created_at = attributes.moment("created_at");
  read.updated_at = attributes.moment("updated_at");
  return read;
}

int rank_of(std::string_view event_name) noexcept {
  static constexpr std::array<std::string_view, 13> ascending{"order_created",
                                                              "subscription_created",
                                                              "subscription_payment_failed",
                                                              "subscription_updated",
                                                              "subscription_unpaused",
                                                              "subscription_resumed",
                                                              "subscription_payment_recovered",
                                                              "subscription_payment_success",
                                                              "subscription_payment_refunded",
                                                              "order_refunded",
                                                              "subscription_paused",
                                                              "subscription_cancelled",
                                                              "subscription_expired"};
  const auto* const place = std::ranges::find(ascending, event_name);
  return static_cast<int>(place - ascending.begin());
}

}  // namespace quarry::billing
