#include "accounts/key_rows.hpp"
#include "accounts/user_rows.hpp"
#include "quarry/accounts/api_keys.hpp"

namespace quarry::accounts {
namespace {

constexpr auto used_every = std::chrono::minutes(1);

struct StoredKey {
  ApiKeyId id;
  std::string key_hash;
};
BOOST_DESCRIBE_STRUCT(StoredKey, (), (id, key_hash))

constexpr sql::Query<StoredKey(std::string_view)> find_hash{"keys.find_hash",
                                                            "select id, key_hash from api_keys where key_id = $1"};
constexpr sql::Command<void(ApiKeyId, Instant, Instant)> note_use{
    "keys.note_use",
    sql::sqlite("update api_keys set last_used_at = $2, " QUARRY_KEY_MOVED_SQLITE
                " where id = $1 and (last_used_at is null or last_used_at <= $3)"),
    sql::postgres("update api_keys set last_used_at = $2, " QUARRY_KEY_MOVED_POSTGRES
                  " where id = $1 and (last_used_at is null or last_used_at <= $3)")};

Actor actor_of_key(const ApiKey& key, const User& user) {
  return user.role == Role::admin && has_scope(key, "admin") ? Actor::admin(user.id) : Actor::user(user.id);
}

}  // namespace

std::optional<KeyHolder> find_key_holder(Read& tx, const Peppers& peppers, std::string_view text) {
  const auto parts = parse_key(text);
  if (!parts) return std::nullopt;
  const auto stored = tx.one(find_hash, parts->key_id);
  // Compared also where nothing was found, so that the time does not tell which public ids there are.
  if (!peppers.matches(parts->secret, stored ? stored->key_hash : peppers.hash({})) || !stored) return std::nullopt;
  auto key = find_key(tx, stored->id);
  if (!key || !is_live(*key, tx.now())) return std::nullopt;
  auto user = find_user(tx, key->user_id);
  if (!user || !user->is_active) return std::nullopt;
  const auto actor = actor_of_key(*key, *user);
  return KeyHolder{*std::move(key), *std::move(user), actor};
}

std::optional<KeyHolder> authenticate_key(const Database& db, const Peppers& peppers, std::string_view text) {
  if (!parse_key(text)) return std::nullopt;
  Instant now;
  auto holder = db.read([&](Read& tx) {
    now = tx.now();
    return find_key_holder(tx, peppers, text);
  });
  if (!holder) return std::nullopt;
  const auto due = now - used_every;
  if (!holder->key.last_used_at || *holder->key.last_used_at <= due) {
    db.write([&](Write& tx) { tx.run(note_use, holder->key.id, now, due); });
    holder->key.last_used_at = now;
  }
  return holder;
}

}  // namespace quarry::accounts
