#include "quarry/accounts/sessions.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "accounts/rules.hpp"
#include "accounts/token_text.hpp"
#include "accounts/user_rows.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/list.hpp"

namespace quarry::accounts {
namespace {

#define QUARRY_SESSION_COLUMNS(ADDRESS) \
  "id, user_id, expires_at, idle_expires_at, last_seen_at, revoked_at, " ADDRESS ", user_agent, created_at"
#define QUARRY_SESSIONS_SQLITE QUARRY_SESSION_COLUMNS("ip_address")
#define QUARRY_SESSIONS_POSTGRES QUARRY_SESSION_COLUMNS("host(ip_address) as ip_address")

constexpr std::string_view token_start = "qrys_";
constexpr auto seen_every = std::chrono::minutes(1);
constexpr std::size_t user_agent_max = 500;

struct SessionRow {
  SessionId id;
  UserId user_id;
  std::string token_hash;
  Instant expires_at;
  Instant idle_expires_at;
  Instant created_at;
  std::optional<std::string> ip_address{};
  std::optional<std::string> user_agent{};
};
BOOST_DESCRIBE_STRUCT(SessionRow, (),
                      (id, user_id, token_hash, expires_at, idle_expires_at, created_at, ip_address, user_agent))

constexpr sql::Command<void(SessionRow)> insert_session{
    "sessions.insert",
    sql::sqlite("insert into user_sessions (id, user_id, token_hash, expires_at, idle_expires_at, last_seen_at, created_at,"
                " ip_address, user_agent) values ($1, $2, $3, $4, $5, $6, $6, $7, $8)"),
    sql::postgres(
        "insert into user_sessions (id, user_id, token_hash, expires_at, idle_expires_at, last_seen_at, created_at,"
        " ip_address, user_agent) values ($1, $2, $3, $4, $5, $6, $6, $7::inet, $8)")};
constexpr sql::Query<Session(SessionId)> find_by_session_id{
    "sessions.find", sql::sqlite("select " QUARRY_SESSIONS_SQLITE " from user_sessions where id = $1"),
    sql::postgres("select " QUARRY_SESSIONS_POSTGRES " from user_sessions where id = $1")};
constexpr sql::Query<Session(std::string_view)> find_by_token{
    "sessions.find_by_token", sql::sqlite("select " QUARRY_SESSIONS_SQLITE " from user_sessions where token_hash = $1"),
    sql::postgres("select " QUARRY_SESSIONS_POSTGRES " from user_sessions where token_hash = $1")};
constexpr sql::Command<void(SessionId, Instant, Instant)> touch_session{
    "sessions.touch",
    "update user_sessions set last_seen_at = $2, idle_expires_at = $3 where id = $1 and revoked_at is null"};
constexpr sql::Command<void(SessionId, Instant)> end_session{
    "sessions.revoke", "update user_sessions set revoked_at = $2 where id = $1 and revoked_at is null"};
constexpr sql::Command<void(UserId, Instant, Uuid)> end_others{
    "sessions.revoke_all",
    "update user_sessions set revoked_at = $2 where user_id = $1 and revoked_at is null and expires_at > $2 and id <> $3"};
constexpr sql::Command<void(Instant, int)> remove_expired{
    "sessions.purge",
    "delete from user_sessions where id in (select id from user_sessions where expires_at < $1 order by expires_at limit "
    "$2)"};

constexpr store::ListOf<Session> sessions_sqlite{"sessions.list", QUARRY_SESSIONS_SQLITE, "user_sessions"};
constexpr store::ListOf<Session> sessions_postgres{"sessions.list", QUARRY_SESSIONS_POSTGRES, "user_sessions"};
// Ids are made in the order of time.
constexpr store::Order<Session> newest{"id", "id", [](const Session& session) { return store::key(session.id); }};

void check_duration(std::chrono::seconds duration, const char* what) {
  if (duration < std::chrono::minutes(1) || duration > std::chrono::hours(24 * 400))
    throw_invalid(
        fmt::format("the {} time of a session is {} s: from a minute to 400 days is possible", what, duration.count()));
}

/// In the one form that both engines keep.
std::string canonical_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, text.c_str(), address.data()) == 1 && inet_ntop(family, address.data(), out.data(), out.size()))
      return out.data();
  throw_invalid("the IP address of the session is neither IPv4 nor IPv6");
}

std::string shown_user_agent(std::string_view text) {
  std::string out(text.substr(0, user_agent_max));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

bool is_live(const Session& session, Instant now) {
  return !session.revoked_at && now < session.expires_at && (!session.idle_expires_at || now < *session.idle_expires_at);
}

Actor actor_of(const User& user) { return user.role == Role::admin ? Actor::admin(user.id) : Actor::user(user.id); }

}  // namespace

OpenedSession open_session(Write& tx, UserId user, const SessionRules& rules, const Origin& origin) {
  check_duration(rules.idle, "idle");
  check_duration(rules.absolute, "absolute");
  const auto found = find_user(tx, user);
  if (!found || !found->is_active) throw_no_user(user);
  std::string token(token_start);
  token += random_secret(tx.random());
  const auto now = tx.now();
  SessionRow row{.id = tx.new_id<SessionId>(),
                 .user_id = user,
                 .token_hash = sha256(token),
                 .expires_at = now + rules.absolute,
                 .idle_expires_at = std::min(now + rules.idle, now + rules.absolute),
                 .created_at = now};
  if (origin.ip_address) row.ip_address = canonical_address(*origin.ip_address);
  if (origin.user_agent) row.user_agent = shown_user_agent(*origin.user_agent);
  tx.run(insert_session, row);
  return {*tx.one(find_by_session_id, row.id), Secret(std::move(token))};
}

std::optional<Authenticated> find_session(Read& tx, std::string_view token) {
  if (!token.starts_with(token_start) || token.size() != token_start.size() + secret_length) return std::nullopt;
  auto session = tx.one(find_by_token, sha256(token));
  if (!session || !is_live(*session, tx.now())) return std::nullopt;
  auto user = find_user(tx, session->user_id);
  if (!user || !user->is_active) return std::nullopt;
  const auto actor = actor_of(*user);
  return Authenticated{*std::move(session), *std::move(user), actor};
}

std::optional<Authenticated> authenticate(const Database& db, std::string_view token) {
  Instant now;
  auto found = db.read([&](Read& tx) {
    now = tx.now();
    return find_session(tx, token);
  });
  if (!found || !found->session.idle_expires_at) return found;
  auto& session = found->session;
  const auto seen = session.last_seen_at.value_or(session.created_at);
  if (now - seen < seen_every) return found;
  // The idle time is what lay between the two when they were last set, so it needs no column of its own.
  const auto idle_until = std::min(now + (*session.idle_expires_at - seen), session.expires_at);
  if (db.write([&](Write& tx) { return tx.run(touch_session, session.id, now, idle_until); }) == 0) return std::nullopt;
  session.last_seen_at = now;
  session.idle_expires_at = idle_until;
  return found;
}

Page<Session> list_sessions(Read& tx, std::optional<UserId> user, bool live_only, const PageRequest& page) {
  store::Conditions where;
  where.owned(tx.actor(), "user_id");
  const auto now = tx.now();
  if (user) where.add("user_id = {}", *user);
  if (live_only)
    where.add("revoked_at is null and expires_at > {0} and (idle_expires_at is null or idle_expires_at > {0})", now);
  const auto& list = tx.engine() == Engine::postgres ? sessions_postgres : sessions_sqlite;
  return store::list(tx, list, newest, store::Direction::descending, where, page);
}

bool revoke_session(Write& tx, SessionId session) {
  const auto found = tx.one(find_by_session_id, session);
  if (!found || !tx.actor().sees(found->user_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no session {}", to_string(session)));
  return tx.run(end_session, session, tx.now()) > 0;
}

std::int64_t revoke_sessions(Write& tx, UserId user, std::optional<SessionId> keep) {
  if (!find_any_user(tx, user)) throw_no_user(user);
  return tx.run(end_others, user, tx.now(), keep ? keep->value : Uuid{});
}

std::int64_t revoke_sessions_of(Write& tx, UserId user) { return tx.run(end_others, user, tx.now(), Uuid{}); }

std::int64_t purge_sessions(Write& tx, Instant before, int limit) {
  require_admin(tx, "purging sessions");
  return tx.run(remove_expired, before, limit);
}

}  // namespace quarry::accounts
