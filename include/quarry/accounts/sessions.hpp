#pragma once
/// Sessions: what a login gives. The token is 256 random bits, shown once; the database has its SHA-256.
///
///     auto [session, token] = accounts::open_session(tx, user);          // `login` does this, after the password
///     ...
///     if (const auto who = accounts::authenticate(db, token))            // with each request
///       db.read({.actor = who->actor}, [&](Read& tx) { return jobs::list(tx); });
///
/// A session ends when it is revoked, at its absolute end, or when nobody has used it for its idle time, whichever is first.
/// What `authenticate` says is the state of the database at that moment: revocation, deactivation and a change of role are
/// seen at once. Use is written down at most once a minute, so idle time is up to a minute less exact than its number says.
///
/// **Who may**: a user sees and ends their own sessions; an admin everybody's.
///
/// Errors: `not_found` (no such user or session for this actor), `invalid` (a duration or an address that is none). A
/// token that is unknown, expired or revoked is no error: it is nobody's.
/// Thread safety: that of the transaction or the database.

#include <boost/describe.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/accounts/users.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/sql/database.hpp"
#include "quarry/store/page.hpp"

namespace quarry::accounts {

using SessionId = Id<struct SessionTag>;

struct Session {
  SessionId id;
  UserId user_id;
  Instant expires_at;                      ///< absolute
  std::optional<Instant> idle_expires_at;  ///< unless it is used
  std::optional<Instant> last_seen_at;     ///< coarse: to the minute
  std::optional<Instant> revoked_at;
  std::optional<std::string> ip_address;
  std::optional<std::string> user_agent;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(Session, (),
                      (id, user_id, expires_at, idle_expires_at, last_seen_at, revoked_at, ip_address, user_agent,
                       created_at))

struct SessionRules {
  std::chrono::seconds idle = std::chrono::hours(24);           ///< 1 minute to 400 days
  std::chrono::seconds absolute = std::chrono::hours(24 * 30);  ///< likewise
};
/// Where a login comes from.
struct Origin {
  std::optional<std::string> ip_address{};  ///< IPv4 or IPv6, in any of their forms
  std::optional<std::string> user_agent{};  ///< what is no visible ASCII becomes `?`, and 500 characters are kept
};

struct OpenedSession {
  Session session;
  Secret token;
};
/// For a user who has proved who they are. Inactive and deleted users are `not_found`.
OpenedSession open_session(Write& tx, UserId user, const SessionRules& rules = {}, const Origin& origin = {});

/// Who a token or a key speaks for.
struct Authenticated {
  Session session;
  User user;
  Actor actor;  ///< an admin sees everything, everybody else themself
};
/// Who the token speaks for; nothing for whatever is no live session of an active user. Throws what the database throws.
std::optional<Authenticated> authenticate(const Database& db, std::string_view token);
/// The same without writing down that the session was used: it neither keeps it from becoming idle.
std::optional<Authenticated> find_session(Read& tx, std::string_view token);

/// The newest first; those that have ended, too, until they are purged.
Page<Session> list_sessions(Read& tx, std::optional<UserId> user = {}, bool live_only = false, const PageRequest& page = {});

/// False when it had been revoked already.
bool revoke_session(Write& tx, SessionId session);
/// Logs a user out everywhere, but for the session in `keep`. Returns how many there were.
std::int64_t revoke_sessions(Write& tx, UserId user, std::optional<SessionId> keep = {});

/// Removes up to `limit` sessions that came to their absolute end before `before`. Call again while it returns `limit`.
std::int64_t purge_sessions(Write& tx, Instant before, int limit = 1'000);

}  // namespace quarry::accounts
