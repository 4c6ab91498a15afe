#pragma once
/// The inbox of the payment provider's calls (Lemon Squeezy webhooks): stored first, as they came, then applied.
///
///     auto in = db.write([&](Write& tx) { return ingest(tx, {.body = raw, .signature = x_signature}, secrets); });
///     if (in.outcome == Ingested::bad_signature) ...                     // 401; everything that was stored is 200
///     if (in.id) db.write([&](Write& tx) { process(tx, *in.id); });      // now, or later, or both
///
/// Calls come late, twice, out of order, or not at all. So no event is applied by itself: what holds of a subscription is
/// worked out anew from all stored events that name it, its own and its invoices', ordered by (updated_at, rank of the name,
/// hash of the body). Any order, and any repetition, ends in the same state (subscription_facts.hpp, docs/billing.md).
///
/// An event that cannot be applied stays: `parked` when it waits for something that is not known yet (the subscription of an
/// invoice, the user, the plan of a variant), and it is tried again when that comes; `failed` with the reason otherwise.
/// Unknown names are stored and `processed`. Events in test mode are stored, and change nothing.
///
/// Everything here is for the system and for admins: the inbox has no owner. `denied` for others.
///
/// Errors: `denied`, `invalid` (a limit or a cursor), `not_found`, `unavailable` (a key is missing); what is wrong with a
/// call is a value. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/sql/transaction.hpp"
#include "quarry/store/page.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::billing {

using WebhookEventId = Id<struct WebhookEventTag>;

inline constexpr std::size_t webhook_bytes_max = 1'048'576;

/// What the webhook is signed with, and what it was signed with before: both are accepted, so that the secret can be
/// changed without losing a call. An empty one matches nothing.
struct WebhookSecrets {
  Secret current{};
  Secret previous{};
};

/// Whether `signature` is the hex HMAC-SHA256 of the raw body under one of the secrets. Exactly 64 hex digits; compared in
/// constant time.
bool is_signed(std::string_view body, std::string_view signature, const WebhookSecrets& secrets);

struct WebhookRequest {
  std::string_view body;                            ///< raw, as it came over the wire
  std::optional<std::string_view> signature = {};   ///< the header X-Signature
  std::optional<std::string_view> event_name = {};  ///< the header X-Event-Name; the body's own name wins
};

enum class Ingested {
  stored,
  duplicate,      ///< the same body is there already: nothing has changed
  too_large,      ///< more than `webhook_bytes_max`; not stored
  no_signature,   ///< not stored
  bad_signature,  ///< not stored
};
BOOST_DESCRIBE_ENUM(Ingested, stored, duplicate, too_large, no_signature, bad_signature)

struct IngestResult {
  Ingested outcome = Ingested::stored;
  std::optional<WebhookEventId> id;  ///< of what was stored, now or before
};

/// Stores a call whose signature is good, whatever it says, also when it is not JSON. With a key ring the body is stored
/// encrypted, for its row alone (XChaCha20-Poly1305): it holds names and addresses. Throws `denied` when the ring's primary
/// key is another one than that which other bodies are encrypted with under its name.
IngestResult ingest(Write& tx, const WebhookRequest& request, const WebhookSecrets& secrets,
                    const system::KeyRing* ring = nullptr);
/// The same for a body that comes from a trusted hand instead of the network: a file of the operator's.
IngestResult ingest_trusted(Write& tx, const WebhookRequest& request, const system::KeyRing* ring = nullptr);

/// Encrypts up to `limit` (1 to 1000) bodies that are in clear or under another key of the ring, under its primary one. Call
/// it, each time in a transaction of its own, until none remains. Throws `unavailable` for a body whose key is not there.
system::Rotated seal_webhook_bodies(Write& tx, const system::KeyRing& ring, int limit = 100);

enum class WebhookStatus { received, processed, failed, parked };
BOOST_DESCRIBE_ENUM(WebhookStatus, received, processed, failed, parked)

struct WebhookEvent {
  WebhookEventId id;
  std::string provider;
  std::string event_name;
  std::optional<std::string> object_type;
  std::optional<std::string> object_id;
  std::optional<std::string> subscription_id;
  std::optional<Instant> provider_updated_at;
  bool test_mode = false;
  WebhookStatus status = WebhookStatus::received;
  int attempts = 0;
  std::optional<std::string> error_message;  ///< why it waits or failed
  Instant received_at;
  std::optional<Instant> processed_at;
};
BOOST_DESCRIBE_STRUCT(WebhookEvent, (),
                      (id, provider, event_name, object_type, object_id, subscription_id, provider_updated_at, test_mode,
                       status, attempts, error_message, received_at, processed_at))

/// Nothing when there is none.
std::optional<WebhookEvent> find_webhook_event(Read& tx, WebhookEventId id);

struct WebhookFilter {
  std::optional<WebhookStatus> status{};
  std::optional<std::string> event_name{};
  std::optional<std::string> subscription_id{};
};
/// The newest first.
Page<WebhookEvent> list_webhook_events(Read& tx, const WebhookFilter& filter = {}, const PageRequest& page = {});

/// Applies an event, and whatever waited for it; one that was applied before is applied again, to the same end. What cannot
/// be applied is recorded with the event, which is the result. Bodies that are encrypted are opened with `ring`: without
/// their key it throws `unavailable`, and nothing is recorded. Throws `not_found`, and what the database throws.
WebhookEvent process(Write& tx, WebhookEventId id, const system::KeyRing* ring = nullptr);

/// Events that are not processed (`everything` false), or all of them, after `after`, in the order of their ids: the work of
/// a replay, a page at a time.
std::vector<WebhookEventId> webhook_events_to_replay(Read& tx, bool everything, std::optional<WebhookEventId> after = {},
                                                     int limit = 1'000);

}  // namespace quarry::billing
