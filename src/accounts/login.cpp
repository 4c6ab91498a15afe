#include "quarry/accounts/login.hpp"

#include <arpa/inet.h>

#include <array>

#include "accounts/login_guard.hpp"
#include "accounts/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/system/record.hpp"

namespace quarry::accounts {
namespace {

struct Credential {
  UserId id;
  std::optional<std::string> hashed_password;
  bool is_active;
};
BOOST_DESCRIBE_STRUCT(Credential, (), (id, hashed_password, is_active))

// A username has no '@' and an address has one, so that a name is one of the two.
constexpr sql::Query<Credential(std::string_view)> find_by_username{
    "login.find_by_username",
    "select id, hashed_password, is_active from users where lower(username) = lower($1) and deleted_at is null"};
constexpr sql::Query<Credential(std::string_view)> find_by_address{
    "login.find_by_email",
    "select id, hashed_password, is_active from users where lower(email) = lower($1) and deleted_at is null"};
constexpr sql::Query<Credential(UserId)> lock_credential{
    "login.lock", sql::sqlite("select id, hashed_password, is_active from users where id = $1 and deleted_at is null"),
    sql::postgres(
        "select id, hashed_password, is_active from users where id = $1 and deleted_at is null for no key update")};
constexpr sql::Command<void(UserId, Instant)> note_login{
    "login.note", sql::sqlite("update users set last_login = $2, updated_at = max($2, updated_at + 1) where id = $1"),
    sql::postgres("update users set last_login = $2, updated_at = greatest($2, updated_at + interval '1 microsecond')"
                  " where id = $1")};
constexpr sql::Command<void(UserId, std::string_view)> upgrade_hash{
    "login.upgrade_hash", sql::sqlite("update users set hashed_password = $2, updated_at = updated_at + 1 where id = $1"),
    sql::postgres(
        "update users set hashed_password = $2, updated_at = updated_at + interval '1 microsecond' where id = $1")};

std::optional<Credential> find_credential(Read& tx, std::string_view name) {
  if (name.size() > 255 || !can_be_stored(name)) return std::nullopt;
  return name.find('@') == std::string_view::npos ? tx.one(find_by_username, name) : tx.one(find_by_address, name);
}

LoginResult let_in(Write& tx, UserId user, const Origin& origin, const SessionRules& rules) {
  tx.run(note_login, user, tx.now());
  LoginResult result{.status = LoginStatus::ok};
  result.opened = open_session(tx, user, rules, origin);
  result.user = get_user(tx, user);
  return result;
}

/// What is no address is left out here: it is refused where the session is opened.
std::optional<std::string> address_of(const Origin& origin) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const auto is_one = [&](int family) { return inet_pton(family, origin.ip_address->c_str(), address.data()) == 1; };
  return origin.ip_address && (is_one(AF_INET) || is_one(AF_INET6)) ? origin.ip_address : std::nullopt;
}

/// The name that was tried is not kept: people type passwords into its field.
void record_login(Write& tx, std::string_view action, std::optional<UserId> user, const Origin& origin,
                  std::string_view details) {
  system::AuditNote note{.action = std::string(action), .details = Json{std::string(details)}};
  if (user) {
    note.resource_type = "user";
    note.resource_id = user->value;
  }
  note.ip_address = address_of(origin);
  note.user_agent = origin.user_agent;
  system::record(tx, note);
}

/// What was found out before the writing transaction.
struct Checked {
  std::optional<Credential> credential;
  std::string guard;
  PasswordCheck outcome = PasswordCheck::wrong;
  std::string new_hash;  ///< when the stored one is outdated
};

LoginResult settle(Write& tx, const Checked& checked, const Origin& origin, const LoginRules& rules) {
  const auto attempt = count_attempt(tx, checked.guard, {rules.failures_max, rules.window});
  if (attempt.locked_until) return {.status = LoginStatus::locked, .locked_until = attempt.locked_until};
  const auto user = checked.credential ? std::optional(checked.credential->id) : std::nullopt;
  const auto refuse = [&](LoginStatus status, std::string_view reason) -> LoginResult {
    record_login(tx, "login.failed", user, origin, reason);
    if (attempt.is_last && status == LoginStatus::wrong) record_login(tx, "login.locked", user, origin, "{}");
    return {.status = status};
  };
  if (checked.outcome == PasswordCheck::wrong) return refuse(LoginStatus::wrong, R"({"reason":"wrong"})");
  const auto now = tx.one(lock_credential, checked.credential->id);
  if (!now || now->hashed_password != checked.credential->hashed_password)
    return refuse(LoginStatus::wrong, R"({"reason":"wrong"})");
  forget_attempts(tx, checked.guard);
  if (!now->is_active) return refuse(LoginStatus::inactive, R"({"reason":"inactive"})");
  if (!checked.new_hash.empty()) tx.run(upgrade_hash, now->id, checked.new_hash);
  return let_in(tx, now->id, origin, rules.session);
}

void check_rules(const LoginRules& rules) {
  if (rules.failures_max < 1 || rules.failures_max > 1000) throw_invalid("1 to 1000 wrong passwords may lock a user");
  if (rules.window < std::chrono::seconds(1) || rules.window > std::chrono::hours(24))
    throw_invalid("wrong passwords are counted for a second to a day");
}

}  // namespace

LoginResult login(const Database& db, const PasswordHasher& hasher, const LoginRequest& request, const LoginRules& rules) {
  check_rules(rules);
  Checked checked;
  const auto locked = db.read([&](Read& tx) {
    checked.credential = find_credential(tx, request.name);
    checked.guard = checked.credential ? guard_of(checked.credential->id) : guard_of(request.name);
    return locked_until(tx, checked.guard, {rules.failures_max, rules.window});
  });
  if (locked) return {.status = LoginStatus::locked, .locked_until = locked};
  checked.outcome = hasher.check(request.password,
                                 checked.credential ? checked.credential->hashed_password : std::optional<std::string>());
  if (checked.outcome == PasswordCheck::outdated) checked.new_hash = hasher.rehash(request.password);
  return db.write([&](Write& tx) { return settle(tx, checked, request.origin, rules); });
}

LoginResult login_with_google(Write& tx, std::string_view google_id, const Origin& origin, const SessionRules& rules) {
  const auto user = find_user_by_google_id(tx, google_id);
  if (!user || !user->is_active) {
    const auto id = user ? std::optional(user->id) : std::nullopt;
    record_login(tx, "login.failed", id, origin, user ? R"({"reason":"inactive"})" : R"({"reason":"wrong"})");
    return {.status = user ? LoginStatus::inactive : LoginStatus::wrong};
  }
  return let_in(tx, user->id, origin, rules);
}

bool unlock_user(Write& tx, UserId user) {
  require_admin(tx, "unlocking users");
  get_user(tx, user);
  if (!forget_attempts(tx, guard_of(user))) return false;
  record_user(tx, "login.unlocked", user);
  return true;
}

}  // namespace quarry::accounts
