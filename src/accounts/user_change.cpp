#include "quarry/accounts/user_change.hpp"

#include <fmt/format.h>

#include "accounts/rules.hpp"
#include "accounts/user_rows.hpp"
#include "quarry/accounts/password.hpp"
#include "quarry/store/patch.hpp"

namespace quarry::accounts {
namespace {

constexpr store::Patch::Rules there{.also = "deleted_at is null"};

/// Sets one column of a user that is there.
template <class T>
void set_column(Write& tx, const char* query, UserId user, const char* column, const T& value) {
  store::Patch patch("users");
  patch.set_to(column, value).apply(tx, query, "user", user.value, "id", there);
}

/// Tries what must be unique field by field, so that the same one is named whichever the engine came upon first. A user's
/// own transaction does not see who else has a name: only the index can tell. Nothing of it stays.
void try_one_by_one(Write& tx, UserId user, const UserChanges& changes) {
  struct NoneIsTaken {};
  const auto alone = [&](const char* column, const auto& value) {
    if (value) keep_unique(tx, [&] { set_column(tx, "users.update", user, column, *value); });
  };
  try {
    tx.attempt([&] {
      alone("username", changes.username);
      alone("email", changes.email);
      alone("google_id", changes.google_id);
      throw NoneIsTaken{};
    });
  } catch (const NoneIsTaken&) {
  }
}

/// Which of their words, not what they are.
std::string names_of_fields(const UserChanges& changes) {
  std::string names;
  const auto add = [&](bool is_set, std::string_view name) {
    if (is_set) names += fmt::format("{}\"{}\"", names.empty() ? "" : ",", name);
  };
  add(changes.username.has_value(), "username");
  add(changes.email.has_value(), "email");
  add(changes.full_name.has_value(), "full_name");
  add(changes.google_id.has_value(), "google_id");
  return names;
}

}  // namespace

User update_user(Write& tx, UserId user, const UserChanges& changes) {
  if (changes.username) check_username(*changes.username);
  if (changes.email) check_email(*changes.email);
  if (changes.full_name && *changes.full_name) check_full_name(**changes.full_name);
  if (changes.google_id && *changes.google_id) check_google_id(**changes.google_id);
  const auto before = get_user(tx, user);
  // Who it is at Google is proved to the service, which then acts as the system: a user's word alone proves nothing.
  if (changes.google_id) require_admin(tx, "linking a Google account");
  store::Patch patch("users");
  patch.set("username", changes.username)
      .set("email", changes.email)
      .set("full_name", changes.full_name)
      .set("google_id", changes.google_id);
  const std::optional<bool> not_verified{false};
  if (changes.email && *changes.email != before.email) patch.set("is_verified", not_verified);
  auto rules = there;
  rules.unchanged_since = changes.unchanged_since;
  keep_unique(
      tx, [&] { patch.apply(tx, "users.update", "user", user.value, "id", rules); },
      [&] { try_one_by_one(tx, user, changes); });
  auto after = get_user(tx, user);
  if (const auto fields = names_of_fields(changes); !fields.empty())
    record_user(tx, "user.update", user, fmt::format(R"({{"fields":[{}]}})", fields));
  return after;
}

void set_password(Write& tx, UserId user, const std::optional<std::string>& hash) {
  if (hash) check_password_hash(*hash);
  keep_unique(tx, [&] { set_column(tx, "users.set_password", user, "hashed_password", hash); });
  revoke_sessions_of(tx, user);
  record_user(tx, "user.password", user, hash ? R"({"password":true})" : R"({"password":false})");
}

bool set_role(Write& tx, UserId user, Role role) {
  require_admin(tx, "changing roles");
  const auto before = get_user(tx, user).role;
  if (before == role) return false;
  set_column(tx, "users.set_role", user, "role", role);
  revoke_sessions_of(tx, user);
  record_user(tx, "user.role", user, fmt::format(R"({{"from":"{}","to":"{}"}})", to_string(before), to_string(role)));
  return true;
}

bool activate_user(Write& tx, UserId user) {
  require_admin(tx, "activating users");
  if (get_user(tx, user).is_active) return false;
  set_column(tx, "users.activate", user, "is_active", true);
  record_user(tx, "user.activate", user);
  return true;
}

bool deactivate_user(Write& tx, UserId user) {
  require_admin(tx, "deactivating users");
  if (!get_user(tx, user).is_active) return false;
  set_column(tx, "users.deactivate", user, "is_active", false);
  revoke_sessions_of(tx, user);
  record_user(tx, "user.deactivate", user);
  return true;
}

bool verify_user(Write& tx, UserId user) {
  require_admin(tx, "verifying users");
  if (get_user(tx, user).is_verified) return false;
  set_column(tx, "users.verify", user, "is_verified", true);
  record_user(tx, "user.verify", user);
  return true;
}

bool delete_user(Write& tx, UserId user) {
  const auto found = find_any_user(tx, user);
  if (!found) throw_no_user(user);
  if (found->deleted_at) return false;
  set_column(tx, "users.delete", user, "deleted_at", std::optional<Instant>(tx.now()));
  revoke_sessions_of(tx, user);
  record_user(tx, "user.delete", user);
  return true;
}

bool undelete_user(Write& tx, UserId user) {
  require_admin(tx, "bringing users back");
  const auto found = find_any_user(tx, user);
  if (!found) throw_no_user(user);
  if (!found->deleted_at) return false;
  const std::optional<Instant> never;
  store::Patch patch("users");
  patch.set_to("deleted_at", never);
  keep_unique(
      tx, [&] { patch.apply(tx, "users.undelete", "user", user.value, "id", {.also = "deleted_at is not null"}); },
      [&] { throw_if_taken(tx, found->username, found->email, found->google_id); });
  record_user(tx, "user.undelete", user);
  return true;
}

}  // namespace quarry::accounts
