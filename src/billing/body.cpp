#include "billing/body.hpp"

#include <fmt/format.h>

#include <span>

#include "billing/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/system/sealed.hpp"

namespace quarry::billing {
namespace {

constexpr int rotate_limit_max = 1'000;

struct KeptBody {
  WebhookEventId id;
  std::optional<std::string> key_id;
  Bytes raw_body;

  std::string_view text() const { return {reinterpret_cast<const char*>(raw_body.data()), raw_body.size()}; }
};
BOOST_DESCRIBE_STRUCT(KeptBody, (), (id, key_id, raw_body))

constexpr sql::Query<KeptBody(std::string_view, int)> lock_bodies_to_seal{
    "billing.bodies_to_seal",
    sql::sqlite("select id, key_id, raw_body from webhook_events where key_id is null or key_id <> $1 order by id limit $2"),
    sql::postgres("select id, key_id, raw_body from webhook_events where key_id is null or key_id <> $1 order by id limit $2"
                  " for no key update")};
constexpr sql::Query<std::int64_t(std::string_view)> count_bodies_to_seal{
    "billing.count_bodies_to_seal", "select count(*) from webhook_events where key_id is null or key_id <> $1"};
constexpr sql::Command<void(WebhookEventId, std::span<const std::byte>, std::string_view)> put_body{
    "billing.put_body", "update webhook_events set raw_body = $2, key_id = $3 where id = $1"};

system::SealedPlace place_of(const std::string& event, WebhookEventId id) {
  return {.row = id.value, .name = event, .table = "webhook_events", .column = "raw_body"};
}

}  // namespace

std::string seal_body(const system::KeyRing& ring, WebhookEventId event, std::string_view body) {
  return system::seal(ring, place_of(to_string(event), event), body);
}

std::string open_body(const system::KeyRing* ring, WebhookEventId event, const std::optional<std::string>& key_id,
                      std::string_view stored) {
  if (!key_id) return std::string(stored);
  const auto name = to_string(event);
  if (!ring)
    throw Error(ErrorCode::unavailable,
                fmt::format("the payment event {} is encrypted under key '{}': a key ring is wanted", name, *key_id));
  try {
    return std::string(system::unseal(*ring, *key_id, place_of(name, event), stored).reveal());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::corrupt) throw;
    throw Error(ErrorCode::unavailable,
                fmt::format("the payment event {} cannot be opened: {}", name, error.client_message()));
  }
}

system::Rotated seal_webhook_bodies(Write& tx, const system::KeyRing& ring, int limit) {
  require_admin(tx, "the inbox of payments");
  if (limit < 1 || limit > rotate_limit_max) throw_invalid(fmt::format("a batch has 1 to {} events", rotate_limit_max));
  system::Rotated done;
  for (const auto& kept : tx.all(lock_bodies_to_seal, ring.primary(), limit)) {
    const auto sealed = seal_body(ring, kept.id, open_body(&ring, kept.id, kept.key_id, kept.text()));
    done.rotated += tx.run(put_body, kept.id, std::as_bytes(std::span(sealed)), ring.primary());
  }
  done.remaining = tx.value(count_bodies_to_seal, ring.primary());
  return done;
}

}  // namespace quarry::billing
