#include "quarry/accounts/user_list.hpp"

#include "accounts/rules.hpp"
#include "accounts/user_rows.hpp"

namespace quarry::accounts {
namespace {

constexpr store::ListOf<User> all_users{"users.list", QUARRY_USER_COLUMNS, "users"};

constexpr sql::Query<UserStatistics(Instant)> sum_users{
    "users.statistics",
    "select count(*) filter (where deleted_at is null) as users,"
    " count(*) filter (where deleted_at is null and is_active) as active,"
    " count(*) filter (where deleted_at is null and is_verified) as verified,"
    " count(*) filter (where deleted_at is null and role = 'admin') as admins,"
    " count(*) filter (where deleted_at is null and role = 'moderator') as moderators,"
    " count(*) filter (where deleted_at is null and substr(hashed_password, 1, 1) <> '!') as with_password,"
    " count(*) filter (where deleted_at is null and google_id is not null) as with_google,"
    " count(*) filter (where deleted_at is null and created_at > $1) as new_in_30_days,"
    " count(*) filter (where deleted_at is null and last_login > $1) as logged_in_within_30_days,"
    " count(*) filter (where deleted_at is not null) as deleted from users"};

store::Order<User> order_of(UserOrder by, Engine engine) {
  const bool is_postgres = engine == Engine::postgres;
  switch (by) {
    case UserOrder::username:
      return {"username", is_postgres ? "username collate \"C\"" : "username",
              [](const User& user) { return store::key(user.username); }};
    case UserOrder::email:
      return {"email", is_postgres ? "email collate \"C\"" : "email",
              [](const User& user) { return store::key(user.email); }};
    case UserOrder::created_at:
      break;
  }
  return {"created_at", "created_at", [](const User& user) { return store::key(user.created_at); }};
}

/// The filter as a WHERE clause. Owns the pattern that the clause refers to.
struct WantedUsers {
  std::string pattern;
  store::Conditions where;

  WantedUsers(Read& tx, const UserFilter& filter) : where(filter.deleted ? "deleted_at is not null" : "deleted_at is null") {
    where.owned(tx.actor(), "id");
    if (filter.role) where.add("role = {}", *filter.role);
    if (filter.is_active) where.add("is_active = {}", *filter.is_active);
    if (filter.is_verified) where.add("is_verified = {}", *filter.is_verified);
    if (filter.text) {
      pattern = store::like_anywhere(*filter.text);
      where.add(tx.engine() == Engine::sqlite
                    ? "(username like {0} escape '\\' or email like {0} escape '\\' or full_name like {0} escape '\\')"
                    : "(username collate \"C\" ilike {0} escape '\\' or email collate \"C\" ilike {0} escape '\\'"
                      " or full_name collate \"C\" ilike {0} escape '\\')",
                pattern);
    }
  }
  WantedUsers(const WantedUsers&) = delete;
  WantedUsers& operator=(const WantedUsers&) = delete;
};

}  // namespace

Page<User> list_users(Read& tx, const UserFilter& filter, const PageRequest& page, const UserListOrder& order) {
  const WantedUsers wanted(tx, filter);
  return store::list(tx, all_users, order_of(order.by, tx.engine()), order.direction, wanted.where, page);
}

std::int64_t count_users(Read& tx, const UserFilter& filter) {
  const WantedUsers wanted(tx, filter);
  return store::count(tx, all_users, wanted.where);
}

UserStatistics user_statistics(Read& tx) {
  require_admin(tx, "figures of all users");
  return tx.value(sum_users, tx.now() - std::chrono::hours(24 * 30));
}

}  // namespace quarry::accounts
