#pragma once
/// Users: who owns what is stored.

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

struct User {
  UserId id;
  std::string username;
  std::string email;
  std::optional<std::string> full_name;
  Role role = Role::user;
  bool is_active = true;
  bool is_verified = false;
  std::optional<Instant> last_login;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(User, (), (id, username, email, full_name, role, is_active, is_verified, last_login, created_at))

/// What the command line does belongs to this user.
inline constexpr std::string_view local_username = "local";

/// Without regard to case; deleted users are not found.
std::optional<User> find_user(Read& tx, std::string_view username);
std::optional<User> find_user(Read& tx, UserId user);

/// The local user, made at its first use. It is an admin that nobody can log in as: its password hash is `!`, which no
/// password has (the convention of shadow(5)).
UserId ensure_local_user(Write& tx);

}  // namespace quarry::accounts
