#pragma once
/// API keys: who a program speaks for, and what it may. The form of a key is in `key_text.hpp`.
///
///     const Peppers peppers(read_pepper());                        // one for the program
///     auto [key, text] = accounts::create_key(tx, peppers, {.user_id = ada, .name = "CI", .scopes = {"jobs:read"}});
///     ...                                                          // `text` is shown once
///     if (const auto who = accounts::authenticate_key(db, peppers, header); who && has_scope(who->key, "jobs:read"))
///       db.read({.actor = who->actor}, [&](Read& tx) { return jobs::list(tx); });
///
/// **Stored** is HMAC-SHA-256 of the secret under a pepper, which is kept outside of the database: who has the database
/// alone can neither use a key nor confirm a guess. Each row names the pepper that it was made with, so that a new one can
/// be put before the old ones. A key is found by its public id and compared in constant time; unknown, expired, revoked and
/// replaced keys, and those of users that are inactive or deleted, get the same answer. Revocation is seen at once.
///
/// **Scopes** are names such as `jobs:read`; which there are is up to the service that asks. `jobs:*` grants all that begin
/// with `jobs:`, and `*` all. A key acts as its user; an admin's key sees everything only with the scope `admin` (or `*`),
/// and only who sees everything makes or rotates such a one (`denied`).
///
/// **Rotation**: `rotate_key` makes a second key with the same name and scopes, and gives the first one an end. Both work
/// until then. Rotating the second one ends the first at once: never are there more than two.
///
/// **Who may**: a user sees and changes their own keys; an admin everybody's.
///
/// Errors: `invalid`, `not_found` (no such user or key for this actor), `conflict` (too many live keys; a key that is not
/// live cannot be rotated). Thread safety: `Peppers` is immutable; otherwise that of the transaction or the database.

#include <boost/describe.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/accounts/key_text.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/sql/database.hpp"
#include "quarry/store/page.hpp"

namespace quarry::accounts {

using ApiKeyId = Id<struct ApiKeyTag>;

inline constexpr int live_keys_max = 20;

struct ApiKey {
  ApiKeyId id;
  UserId user_id;
  std::string key_name;
  std::string key_id;                    ///< public; a part of the key
  std::string key_prefix;                ///< how the key begins, for people
  std::vector<std::string> permissions;  ///< scopes
  bool is_active = true;
  std::optional<Instant> expires_at;
  std::optional<Instant> last_used_at;  ///< coarse: to the minute
  std::optional<Instant> revoked_at;
  std::optional<ApiKeyId> replaced_by;
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(ApiKey, (),
                      (id, user_id, key_name, key_id, key_prefix, permissions, is_active, expires_at, last_used_at,
                       revoked_at, replaced_by, created_at, updated_at))

/// Not revoked, and not expired at `now`.
bool is_live(const ApiKey& key, Instant now) noexcept;
/// Whether the key grants `scope`, by name or by a `*` as above.
bool has_scope(const ApiKey& key, std::string_view scope) noexcept;

/// The secrets that keys are hashed with: the first one for new keys, all of them for those that are there. With none, keys
/// are hashed without: still safe against guessing, for they have 256 bits, but whoever writes to the database can make
/// themself a key.
class Peppers {
 public:
  Peppers() = default;
  /// Throws `invalid` for a pepper with fewer than 32 bytes.
  explicit Peppers(Secret current, std::vector<Secret> previous = {});

  /// `<name of the pepper>:<HMAC in hex>`; the name is a hash of the pepper.
  std::string hash(std::string_view secret) const;
  /// In constant time; false when the hash was made with none of them.
  bool matches(std::string_view secret, std::string_view stored) const;

 private:
  struct Named {
    std::string name;
    Secret pepper;
  };
  std::vector<Named> peppers_;
};

struct NewApiKey {
  UserId user_id{};
  std::string name{};                 ///< 1 to 100 characters
  std::vector<std::string> scopes{};  ///< at most 32, each of 1 to 64 of a-z, 0-9, `:`, `.`, `_`, `-`, `*`
  std::optional<Instant> expires_at{};
};
struct CreatedApiKey {
  ApiKey key;
  Secret text;
};
/// At most `live_keys_max` keys of a user are live at once, not counting those that were rotated.
CreatedApiKey create_key(Write& tx, const Peppers& peppers, const NewApiKey& key);

/// `grace` is how long the old key still works: up to 90 days, and not beyond its own end. The new one lives as long as the
/// old one was made for.
CreatedApiKey rotate_key(Write& tx, const Peppers& peppers, ApiKeyId key,
                         std::chrono::seconds grace = std::chrono::hours(24));

struct KeyHolder {
  ApiKey key;
  User user;
  Actor actor;
};
/// Who the key in `text` speaks for; nothing for whatever is no live key of an active user. Writes its use down at most
/// once a minute. Throws what the database throws.
std::optional<KeyHolder> authenticate_key(const Database& db, const Peppers& peppers, std::string_view text);
/// The same without writing down that the key was used.
std::optional<KeyHolder> find_key_holder(Read& tx, const Peppers& peppers, std::string_view text);

/// Nothing when there is none, or the actor does not see it.
std::optional<ApiKey> find_key(Read& tx, ApiKeyId key);
/// By the public part of the key.
std::optional<ApiKey> find_key(Read& tx, std::string_view key_id);
/// The newest first; of one user, or of all that the actor sees.
Page<ApiKey> list_keys(Read& tx, std::optional<UserId> user = {}, bool live_only = false, const PageRequest& page = {});
/// False when it had been revoked already.
bool revoke_key(Write& tx, ApiKeyId key);

}  // namespace quarry::accounts
