#include "quarry/accounts/users.hpp"

#include "quarry/core/error.hpp"

namespace quarry::accounts {
namespace {

constexpr sql::Query<User(std::string_view)> find_by_name{
    "users.find_by_name",
    "select id, username, email, full_name, role, is_active, is_verified, last_login, created_at from users"
    " where lower(username) = lower($1) and deleted_at is null"};
constexpr sql::Query<User(UserId)> find_by_id{
    "users.find",
    "select id, username, email, full_name, role, is_active, is_verified, last_login, created_at from users"
    " where id = $1 and deleted_at is null"};

// Two programs may start at once on an empty database: the second one's insert does nothing.
constexpr sql::Command<void(UserId, std::string_view, Instant)> insert_local{
    "users.insert_local",
    "insert into users (id, username, email, hashed_password, full_name, role, is_verified, created_at, updated_at)"
    " values ($1, $2, 'local@localhost', '!', 'The command line', 'admin', true, $3, $3) on conflict do nothing"};

}  // namespace

std::optional<User> find_user(Read& tx, std::string_view username) { return tx.one(find_by_name, username); }
std::optional<User> find_user(Read& tx, UserId user) { return tx.one(find_by_id, user); }

UserId ensure_local_user(Write& tx) {
  if (const auto found = find_user(tx, local_username)) return found->id;
  tx.run(insert_local, tx.new_id<UserId>(), local_username, tx.now());
  if (const auto found = find_user(tx, local_username)) return found->id;
  throw Error(
      ErrorCode::conflict,
      "the user 'local', which the command line works as, cannot be made: another user has the address local@localhost");
}

}  // namespace quarry::accounts
