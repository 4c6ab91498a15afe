#pragma once
/// Users page by page, counted, and in figures.
///
/// Errors: `invalid` (a limit out of bounds, a cursor of another order), `denied` (figures are for admins).

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "quarry/accounts/users.hpp"
#include "quarry/store/list.hpp"

namespace quarry::accounts {

/// Which users: those that meet every condition that is set.
struct UserFilter {
  std::optional<Role> role{};
  std::optional<bool> is_active{};
  std::optional<bool> is_verified{};
  /// Stands in the username, the email or the full name, without regard to (ASCII) case.
  std::optional<std::string> text{};
  bool deleted = false;  ///< the deleted ones instead of the others
};

/// None of them moves by itself, so that pages neither lose nor repeat a row; `updated_at` would, with each login. Each has
/// an index.
enum class UserOrder { created_at, username, email };
BOOST_DESCRIBE_ENUM(UserOrder, created_at, username, email)

struct UserListOrder {
  UserOrder by = UserOrder::created_at;
  store::Direction direction = store::Direction::descending;
};

/// The newest first, unless another order is asked for.
Page<User> list_users(Read& tx, const UserFilter& filter = {}, const PageRequest& page = {},
                      const UserListOrder& order = {});
/// Its cost grows with the number of matching users.
std::int64_t count_users(Read& tx, const UserFilter& filter = {});

/// All but `deleted` speak of users that are not deleted.
struct UserStatistics {
  std::int64_t users = 0;
  std::int64_t active = 0;
  std::int64_t verified = 0;
  std::int64_t admins = 0;
  std::int64_t moderators = 0;
  std::int64_t with_password = 0;
  std::int64_t with_google = 0;
  std::int64_t new_in_30_days = 0;
  std::int64_t logged_in_within_30_days = 0;
  std::int64_t deleted = 0;
};
BOOST_DESCRIBE_STRUCT(UserStatistics, (),
                      (users, active, verified, admins, moderators, with_password, with_google, new_in_30_days,
                       logged_in_within_30_days, deleted))
/// Figures of all users, counted anew: its cost grows with their number.
UserStatistics user_statistics(Read& tx);

}  // namespace quarry::accounts
