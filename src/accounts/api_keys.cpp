#include "quarry/accounts/api_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "accounts/key_rows.hpp"
#include "accounts/rules.hpp"
#include "accounts/token_text.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/store/list.hpp"
#include "quarry/system/record.hpp"

namespace quarry::accounts {
namespace {

constexpr std::size_t scopes_max = 32, scope_length_max = 64, key_prefix_length = 10;
constexpr auto grace_max = std::chrono::hours(24 * 90);

struct KeyRow {
  ApiKeyId id;
  UserId user_id;
  std::string key_name;
  std::string key_id;
  std::string key_hash;
  std::string key_prefix;
  std::vector<std::string> permissions;
  std::optional<Instant> expires_at;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(KeyRow, (), (id, user_id, key_name, key_id, key_hash, key_prefix, permissions, expires_at, created_at))

constexpr sql::Command<void(KeyRow)> insert_key{
    "keys.insert",
    "insert into api_keys (id, user_id, key_name, key_id, key_hash, key_prefix, permissions, expires_at, created_at,"
    " updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)"};
constexpr sql::Query<ApiKey(ApiKeyId)> find_by_row_id{"keys.find",
                                                      "select " QUARRY_KEY_COLUMNS " from api_keys where id = $1"};
constexpr sql::Query<ApiKey(ApiKeyId)> lock_key{
    "keys.lock", sql::sqlite("select " QUARRY_KEY_COLUMNS " from api_keys where id = $1"),
    sql::postgres("select " QUARRY_KEY_COLUMNS " from api_keys where id = $1 for no key update")};
constexpr sql::Query<ApiKey(std::string_view)> find_by_key_id{
    "keys.find_by_key_id", "select " QUARRY_KEY_COLUMNS " from api_keys where key_id = $1"};
/// Those who make keys for the same user at once wait for each other, so that the count is exact.
constexpr sql::Query<Role(UserId)> lock_user{
    "keys.lock_user", sql::sqlite("select role from users where id = $1 and deleted_at is null"),
    sql::postgres("select role from users where id = $1 and deleted_at is null for no key update")};
constexpr sql::Query<std::int64_t(UserId, Instant)> count_live{
    "keys.count_live",
    "select count(*) from api_keys where user_id = $1 and is_active and replaced_by is null"
    " and (expires_at is null or expires_at > $2)"};
constexpr sql::Command<void(ApiKeyId, Instant, ApiKeyId, Instant)> replace_key{
    "keys.replace",
    sql::sqlite("update api_keys set replaced_by = $3, expires_at = $4, " QUARRY_KEY_MOVED_SQLITE " where id = $1"),
    sql::postgres("update api_keys set replaced_by = $3, expires_at = $4, " QUARRY_KEY_MOVED_POSTGRES " where id = $1")};
constexpr sql::Command<void(ApiKeyId, Instant)> end_predecessors{
    "keys.end_predecessors",
    sql::sqlite("update api_keys set is_active = false, revoked_at = $2, " QUARRY_KEY_MOVED_SQLITE
                " where replaced_by = $1 and is_active"),
    sql::postgres("update api_keys set is_active = false, revoked_at = $2, " QUARRY_KEY_MOVED_POSTGRES
                  " where replaced_by = $1 and is_active")};
constexpr sql::Command<void(ApiKeyId, Instant)> end_key{
    "keys.revoke",
    sql::sqlite("update api_keys set is_active = false, revoked_at = $2, " QUARRY_KEY_MOVED_SQLITE
                " where id = $1 and is_active"),
    sql::postgres("update api_keys set is_active = false, revoked_at = $2, " QUARRY_KEY_MOVED_POSTGRES
                  " where id = $1 and is_active")};

constexpr store::ListOf<ApiKey> all_keys{"keys.list", QUARRY_KEY_COLUMNS, "api_keys"};
// Ids are made in the order of time.
constexpr store::Order<ApiKey> newest_key{"id", "id", [](const ApiKey& key) { return store::key(key.id); }};

bool grants(const std::vector<std::string>& scopes, std::string_view wanted) {
  return std::ranges::any_of(scopes, [&](std::string_view held) {
    return held.ends_with('*') ? wanted.starts_with(held.substr(0, held.size() - 1)) : held == wanted;
  });
}

void check_scopes(const std::vector<std::string>& scopes) {
  if (scopes.size() > scopes_max) throw_invalid(fmt::format("a key has {} scopes: at most {}", scopes.size(), scopes_max));
  for (const auto& scope : scopes) {
    const bool is_name = !scope.empty() && scope.size() <= scope_length_max && std::ranges::all_of(scope, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view(":._-*").find(c) != std::string_view::npos;
    });
    const auto star = scope.find('*');
    if (!is_name || (star != std::string::npos && scope != "*" && !(star + 1 == scope.size() && scope.ends_with(":*"))))
      throw_invalid(
          "a scope has 1 to 64 of a-z, 0-9, ':', '.', '_' and '-', such as jobs:read; * may stand alone or as jobs:*");
  }
}

/// Otherwise whoever holds a lesser key of an admin, and acts as that user alone, could make themself a greater one. Waits
/// for others who make keys of the same user. Throws `not_found` without the user.
void require_no_escalation(Write& tx, UserId user, const std::vector<std::string>& scopes) {
  const auto role = tx.actor().sees(user) ? tx.one(lock_user, user) : std::nullopt;
  if (!role) throw_no_user(user);
  if (*role == Role::admin && !tx.actor().sees_all() && grants(scopes, "admin"))
    throw Error(ErrorCode::denied, "a key that acts as an administrator is made by one: leave out the scope 'admin'");
}

CreatedApiKey insert(Write& tx, const Peppers& peppers, UserId user, const std::string& name,
                     const std::vector<std::string>& scopes, std::optional<Instant> expires_at) {
  auto text = make_key_text(tx.random());
  const auto parts = parse_key(text.reveal()).value();
  const auto id = tx.new_id<ApiKeyId>();
  tx.run(insert_key, {id, user, name, std::string(parts.key_id), peppers.hash(parts.secret),
                      std::string(text.reveal().substr(0, key_prefix_length)), scopes, expires_at, tx.now()});
  return {*tx.one(find_by_row_id, id), std::move(text)};
}

/// The public part of the key, and no name: people write anything into that.
void record_key(Write& tx, std::string_view action, const ApiKey& key, std::string_view more = "") {
  system::record(
      tx, {.action = std::string(action),
           .resource_type = "api_key",
           .resource_id = key.id.value,
           .details = Json{fmt::format(R"({{"key_id":"{}","user_id":"{}"{}}})", key.key_id, to_string(key.user_id), more)}});
}

/// Their characters need no escapes.
std::string scopes_of(const ApiKey& key) {
  return key.permissions.empty() ? R"(,"scopes":[])"
                                 : fmt::format(R"(,"scopes":["{}"])", fmt::join(key.permissions, "\",\""));
}

ApiKey lock_seen(Write& tx, ApiKeyId key) {
  auto found = tx.one(lock_key, key);
  if (!found || !tx.actor().sees(found->user_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no API key {}", to_string(key)));
  return *std::move(found);
}

}  // namespace

bool is_live(const ApiKey& key, Instant now) noexcept {
  return key.is_active && !key.revoked_at && (!key.expires_at || now < *key.expires_at);
}

bool has_scope(const ApiKey& key, std::string_view scope) noexcept { return grants(key.permissions, scope); }

CreatedApiKey create_key(Write& tx, const Peppers& peppers, const NewApiKey& key) {
  store::check_text("name of the key", key.name, 1, 100);
  check_scopes(key.scopes);
  if (key.expires_at && *key.expires_at <= tx.now()) throw_invalid("the key would have expired already: name a later end");
  require_no_escalation(tx, key.user_id, key.scopes);
  if (tx.value(count_live, key.user_id, tx.now()) >= live_keys_max)
    throw Error(ErrorCode::conflict,
                fmt::format("the user has {} live API keys, which is all they may: revoke one first", live_keys_max));
  auto made = insert(tx, peppers, key.user_id, key.name, key.scopes, key.expires_at);
  record_key(tx, "key.create", made.key, scopes_of(made.key));
  return made;
}

CreatedApiKey rotate_key(Write& tx, const Peppers& peppers, ApiKeyId key, std::chrono::seconds grace) {
  if (grace < std::chrono::seconds(0) || grace > grace_max)
    throw_invalid("the old key may work for 0 to 90 days after its rotation");
  const auto old = lock_seen(tx, key);
  const auto now = tx.now();
  if (!is_live(old, now))
    throw Error(ErrorCode::conflict, fmt::format("API key {} is not live: make a new one", old.key_id));
  require_no_escalation(tx, old.user_id, old.permissions);
  if (old.replaced_by)
    throw Error(ErrorCode::conflict,
                fmt::format("API key {} was rotated already: rotate the one that replaced it", old.key_id));
  tx.run(end_predecessors, key, now);
  std::optional<Instant> end;
  if (old.expires_at) end = now + (*old.expires_at - old.created_at);
  auto made = insert(tx, peppers, old.user_id, old.key_name, old.permissions, end);
  const auto until = now + grace;
  tx.run(replace_key, key, now, made.key.id, old.expires_at ? std::min(*old.expires_at, until) : until);
  record_key(tx, "key.rotate", old, fmt::format(R"(,"replaced_by":"{}")", made.key.key_id));
  return made;
}

std::optional<ApiKey> find_key(Read& tx, ApiKeyId key) {
  auto found = tx.one(find_by_row_id, key);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

std::optional<ApiKey> find_key(Read& tx, std::string_view key_id) {
  if (!is_base62(key_id)) return std::nullopt;
  auto found = tx.one(find_by_key_id, key_id);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

Page<ApiKey> list_keys(Read& tx, std::optional<UserId> user, bool live_only, const PageRequest& page) {
  store::Conditions where;
  where.owned(tx.actor(), "user_id");
  const auto now = tx.now();
  if (user) where.add("user_id = {}", *user);
  if (live_only) where.add("is_active and (expires_at is null or expires_at > {})", now);
  return store::list(tx, all_keys, newest_key, store::Direction::descending, where, page);
}

bool revoke_key(Write& tx, ApiKeyId key) {
  const auto found = lock_seen(tx, key);
  if (tx.run(end_key, key, tx.now()) == 0) return false;
  record_key(tx, "key.revoke", found);
  return true;
}

}  // namespace quarry::accounts
