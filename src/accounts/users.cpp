#include "quarry/accounts/users.hpp"

#include <fmt/format.h>

#include "accounts/rules.hpp"
#include "accounts/user_rows.hpp"
#include "quarry/accounts/password.hpp"
#include "quarry/core/error.hpp"

namespace quarry::accounts {
namespace {

constexpr sql::Query<User(std::string_view)> find_by_name{
    "users.find_by_name",
    "select " QUARRY_USER_COLUMNS " from users where lower(username) = lower($1) and deleted_at is null"};
constexpr sql::Query<User(std::string_view)> find_by_email{
    "users.find_by_email",
    "select " QUARRY_USER_COLUMNS " from users where lower(email) = lower($1) and deleted_at is null"};
constexpr sql::Query<User(std::string_view)> find_by_google{
    "users.find_by_google_id", "select " QUARRY_USER_COLUMNS " from users where google_id = $1 and deleted_at is null"};
constexpr sql::Query<User(UserId)> find_by_id{
    "users.find", "select " QUARRY_USER_COLUMNS " from users where id = $1 and deleted_at is null"};
constexpr sql::Query<User(UserId)> find_any_by_id{"users.find_any",
                                                  "select " QUARRY_USER_COLUMNS " from users where id = $1"};

struct UserRow {
  UserId id;
  std::string_view username;
  std::string_view email;
  std::optional<std::string> hashed_password;
  std::optional<std::string> google_id;
  std::optional<std::string> full_name;
  Role role;
  bool is_active;
  bool is_verified;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(UserRow, (),
                      (id, username, email, hashed_password, google_id, full_name, role, is_active, is_verified, created_at))
constexpr sql::Command<void(UserRow)> insert_user{"users.insert",
                                                  "insert into users (id, username, email, hashed_password, google_id, "
                                                  "full_name, role, is_active, is_verified, created_at,"
                                                  " updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)"};

// Two programs may start at once on an empty database: the second one's insert does nothing.
constexpr sql::Command<void(UserId, std::string_view, Instant)> insert_local{
    "users.insert_local",
    "insert into users (id, username, email, hashed_password, full_name, role, is_verified, created_at, updated_at)"
    " values ($1, $2, 'local@localhost', '!', 'The command line', 'admin', true, $3, $3) on conflict do nothing"};

std::optional<User> seen(const Read& tx, std::optional<User>&& user) {
  if (user && !tx.actor().sees(user->id)) user.reset();
  return std::move(user);
}

}  // namespace

std::string_view to_string(Role role) noexcept { return boost::describe::enum_to_string(role, "unknown"); }

User create_user(Write& tx, const NewUser& user) {
  require_admin(tx, "making users");
  check_username(user.username);
  check_email(user.email);
  if (user.full_name) check_full_name(*user.full_name);
  if (user.google_id) check_google_id(*user.google_id);
  if (user.password_hash) check_password_hash(*user.password_hash);
  if (!user.password_hash && !user.google_id) throw_invalid("a user needs a password, a Google account, or both");
  const auto id = tx.new_id<UserId>();
  keep_unique(
      tx,
      [&] {
        tx.run(insert_user, {id, user.username, user.email, user.password_hash, user.google_id, user.full_name, user.role,
                             user.is_active, user.is_verified, tx.now()});
      },
      [&] { throw_if_taken(tx, user.username, user.email, user.google_id); });
  auto made = get_user(tx, id);
  record_user(tx, "user.create", id,
              fmt::format(R"({{"role":"{}","password":{},"google":{}}})", to_string(user.role),
                          user.password_hash.has_value(), user.google_id.has_value()));
  return made;
}

std::optional<User> find_user(Read& tx, std::string_view username) {
  return can_be_stored(username) ? seen(tx, tx.one(find_by_name, username)) : std::nullopt;
}
std::optional<User> find_user(Read& tx, UserId user) { return seen(tx, tx.one(find_by_id, user)); }
std::optional<User> find_user_by_email(Read& tx, std::string_view email) {
  return can_be_stored(email) ? seen(tx, tx.one(find_by_email, email)) : std::nullopt;
}
std::optional<User> find_user_by_google_id(Read& tx, std::string_view google_id) {
  return can_be_stored(google_id) ? seen(tx, tx.one(find_by_google, google_id)) : std::nullopt;
}
std::optional<User> find_any_user(Read& tx, UserId user) { return seen(tx, tx.one(find_any_by_id, user)); }

User get_user(Read& tx, UserId user) {
  if (auto found = find_user(tx, user)) return *std::move(found);
  throw_no_user(user);
}

bool user_exists(Read& tx, UserId user) { return find_user(tx, user).has_value(); }

UserId ensure_local_user(Write& tx) {
  if (const auto found = find_user(tx, local_username)) return found->id;
  require_admin(tx, "making the command line's user");
  tx.run(insert_local, tx.new_id<UserId>(), local_username, tx.now());
  if (const auto found = find_user(tx, local_username)) return found->id;
  throw Error(
      ErrorCode::conflict,
      "the user 'local', which the command line works as, cannot be made: another user has the address local@localhost");
}

}  // namespace quarry::accounts
