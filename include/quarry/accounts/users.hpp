#pragma once
/// Users: who owns what is stored. Found and made here; `user_list.hpp` has pages and figures, `user_change.hpp` changes.
///
/// A user has a password, a Google account, or both. Usernames, addresses and Google accounts are unique among the users
/// that are not deleted, names and addresses without regard to case. They are ASCII, so that both engines agree what case
/// is: a username has letters, digits, `.`, `_` and `-`; an internationalised domain is written in its `xn--` form.
///
/// **Who may**: everything keeps to the transaction's actor. A user sees themself and nobody else; making users, and
/// changing others, is for the system and for admins (`denied`). Moderators are users here.
///
/// Errors: `invalid` (a field out of its bounds), `conflict` (a name, an address or an account that is taken), `not_found`,
/// `denied`.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::accounts {

enum class Role { user, admin, moderator };
BOOST_DESCRIBE_ENUM(Role, user, admin, moderator)
/// The name, as it is stored.
std::string_view to_string(Role role) noexcept;

struct User {
  UserId id;
  std::string username;
  std::string email;
  std::optional<std::string> full_name;
  Role role = Role::user;
  bool is_active = true;
  bool is_verified = false;
  bool has_password = false;  ///< one that somebody can log in with
  std::optional<std::string> google_id;
  std::optional<Instant> last_login;
  Instant created_at;
  Instant updated_at;
  std::optional<Instant> deleted_at;
};
BOOST_DESCRIBE_STRUCT(User, (),
                      (id, username, email, full_name, role, is_active, is_verified, has_password, google_id, last_login,
                       created_at, updated_at, deleted_at))

struct NewUser {
  std::string username{};  ///< 1 to 50 characters
  std::string email{};     ///< at most 255
  /// As `PasswordHasher::hash` made it, or one of an old system that it reads. Never the password itself.
  std::optional<std::string> password_hash{};
  std::optional<std::string> google_id{};  ///< the `sub` of Google's identity token, 1 to 255 characters
  std::optional<std::string> full_name{};  ///< 1 to 100 characters
  Role role = Role::user;
  bool is_active = true;
  bool is_verified = false;
};
/// `invalid` without password and Google account.
User create_user(Write& tx, const NewUser& user);

/// What the command line does belongs to this user.
inline constexpr std::string_view local_username = "local";

/// Names without regard to case; deleted users are not found.
std::optional<User> find_user(Read& tx, std::string_view username);
/// By id; a deleted user is not found.
std::optional<User> find_user(Read& tx, UserId user);
/// By address, without regard to case; a deleted user is not found.
std::optional<User> find_user_by_email(Read& tx, std::string_view email);
/// By the `sub` of Google's identity token; a deleted user is not found.
std::optional<User> find_user_by_google_id(Read& tx, std::string_view google_id);
/// Throws `not_found` and names the id.
User get_user(Read& tx, UserId user);
/// Deleted or not.
std::optional<User> find_any_user(Read& tx, UserId user);
/// Whether `find_user` would find them.
bool user_exists(Read& tx, UserId user);

/// The local user, made at its first use. It is an admin that nobody can log in as: its password hash is `!`, which no
/// password has (the convention of shadow(5)).
UserId ensure_local_user(Write& tx);

}  // namespace quarry::accounts
