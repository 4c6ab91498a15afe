#include "quarry/billing/inbox.hpp"

#include <fmt/format.h>

#include "billing/body.hpp"
#include "billing/event_hash.hpp"
#include "billing/inbox_rows.hpp"
#include "billing/ledger_rows.hpp"
#include "billing/lemon_squeezy.hpp"
#include "billing/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/store/list.hpp"
#include "quarry/system/sealed.hpp"

namespace quarry::billing {
namespace {

struct NewEvent {
  WebhookEventId id;
  std::string provider;
  Bytes body_sha256;
  std::string event_name;
  std::optional<std::string> object_type;
  std::optional<std::string> object_id;
  std::optional<std::string> subscription_id;
  std::optional<std::string> customer_id;
  std::optional<UserId> checkout_user_id;
  std::optional<Instant> provider_updated_at;
  bool test_mode;
  std::span<const std::byte> raw_body;
  std::optional<std::string> key_id;
  Instant received_at;
};
BOOST_DESCRIBE_STRUCT(NewEvent, (),
                      (id, provider, body_sha256, event_name, object_type, object_id, subscription_id, customer_id,
                       checkout_user_id, provider_updated_at, test_mode, raw_body, key_id, received_at))

constexpr sql::Command<void(NewEvent)> insert_webhook{
    "billing.ingest",
    "insert into webhook_events (id, provider, body_sha256, event_name, object_type, object_id, subscription_id,"
    " customer_id, checkout_user_id, provider_updated_at, test_mode, raw_body, key_id, received_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    " on conflict (body_sha256) do nothing"};
constexpr sql::Query<WebhookEventId(Bytes)> find_by_hash{"billing.find_webhook_by_hash",
                                                         "select id from webhook_events where body_sha256 = $1"};
constexpr sql::Query<std::string(std::string_view)> one_body_under_key{
    "billing.one_body_under_key", sql::sqlite("select cast(raw_body as text) from webhook_events where key_id = $1 limit 1"),
    sql::postgres("select convert_from(raw_body, 'UTF8') from webhook_events where key_id = $1 limit 1")};
constexpr sql::Query<WebhookEvent(WebhookEventId)> find_webhook_row{
    "billing.find_webhook", "select " QUARRY_WEBHOOK_COLUMNS " from webhook_events where id = $1"};
constexpr sql::Query<WebhookEventId(Uuid, bool, int)> list_to_replay{
    "billing.webhooks_to_replay",
    "select id from webhook_events where id > $1 and ($2 or status <> 'processed') order by id limit $3"};

constexpr store::ListOf<WebhookEvent> all_webhooks{"billing.list_webhooks", QUARRY_WEBHOOK_COLUMNS, "webhook_events"};
// Ids are made in the order of time.
constexpr store::Order<WebhookEvent> webhooks_by_id{"id", "id", [](const WebhookEvent& e) { return store::key(e.id); }};

/// What fits into a column of so many characters; what is no text there is nothing.
std::optional<std::string> cut(std::optional<std::string> text, std::size_t characters_max) {
  if (!text || text->empty() || !store::count_characters(*text)) return std::nullopt;
  return std::string(cut_at_character(*text, characters_max));
}

/// Another key of the same name is told before anything lies under both.
std::string sealed_body(Read& tx, const system::KeyRing& ring, WebhookEventId id, std::string_view body) {
  if (const auto other = tx.one(one_body_under_key, ring.primary())) system::check_key_of(ring, ring.primary(), *other);
  return seal_body(ring, id, body);
}

}  // namespace

IngestResult ingest(Write& tx, const WebhookRequest& request, const WebhookSecrets& secrets, const system::KeyRing* ring) {
  if (request.body.size() > webhook_bytes_max) return {Ingested::too_large, {}};
  if (!request.signature || request.signature->empty()) return {Ingested::no_signature, {}};
  if (!is_signed(request.body, *request.signature, secrets)) return {Ingested::bad_signature, {}};
  return ingest_trusted(tx, request, ring);
}

IngestResult ingest_trusted(Write& tx, const WebhookRequest& request, const system::KeyRing* ring) {
  require_admin(tx, "the inbox of payments");
  if (request.body.size() > webhook_bytes_max) return {Ingested::too_large, {}};
  const auto envelope = read_envelope(request.body);
  auto name = cut(envelope.event_name, 100);
  if (!name && request.event_name) name = cut(std::string(*request.event_name), 100);
  const auto id = tx.new_id<WebhookEventId>();
  const auto sealed = ring ? sealed_body(tx, *ring, id, request.body) : std::string();
  const NewEvent row{id,
                     "lemonsqueezy",
                     sha256_of(request.body),
                     name.value_or("unknown"),
                     cut(envelope.object_type, 100),
                     cut(envelope.object_id, 100),
                     cut(envelope.subscription_id, 100),
                     cut(envelope.customer_id, 100),
                     envelope.checkout_user_id,
                     envelope.updated_at,
                     envelope.test_mode,
                     std::as_bytes(ring ? std::span<const char>(sealed) : std::span<const char>(request.body)),
                     ring ? std::optional(ring->primary()) : std::nullopt,
                     tx.now()};
  if (tx.run(insert_webhook, row) == 1) return {Ingested::stored, row.id};
  return {Ingested::duplicate, tx.one(find_by_hash, row.body_sha256)};
}

std::optional<WebhookEvent> find_webhook_event(Read& tx, WebhookEventId id) {
  require_admin(tx, "the inbox of payments");
  return tx.one(find_webhook_row, id);
}

Page<WebhookEvent> list_webhook_events(Read& tx, const WebhookFilter& filter, const PageRequest& page) {
  require_admin(tx, "the inbox of payments");
  store::Conditions where;
  if (filter.status) where.add("status = {}", *filter.status);
  if (filter.event_name) where.add("event_name = {}", *filter.event_name);
  if (filter.subscription_id) where.add("subscription_id = {}", *filter.subscription_id);
  return store::list(tx, all_webhooks, webhooks_by_id, store::Direction::descending, where, page);
}

std::vector<WebhookEventId> webhook_events_to_replay(Read& tx, bool everything, std::optional<WebhookEventId> after,
                                                     int limit) {
  require_admin(tx, "the inbox of payments");
  return tx.all(list_to_replay, after.value_or(WebhookEventId{}).value, everything, limit);
}

}  // namespace quarry::billing
