#pragma once
/// The body of a payment event as it is stored: in clear, or encrypted for its row under the key that the row names. It
/// holds names and addresses of people who paid.

#include <optional>
#include <string>
#include <string_view>

#include "quarry/billing/inbox.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::billing {

/// Under the ring's primary key.
std::string seal_body(const system::KeyRing& ring, WebhookEventId event, std::string_view body);

/// `stored` in clear. Throws `unavailable` when it is encrypted and the key is not there or another one, so that the event
/// is not blamed for it; `corrupt` when it was changed.
std::string open_body(const system::KeyRing* ring, WebhookEventId event, const std::optional<std::string>& key_id,
                      std::string_view stored);

}  // namespace quarry::billing
