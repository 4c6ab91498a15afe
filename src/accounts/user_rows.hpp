#pragma once
/// Columns of `User`, and statements that more than one file uses.

#include "quarry/accounts/users.hpp"

#define QUARRY_USER_COLUMNS                                                                                                \
  "id, username, email, full_name, role, is_active, is_verified,"                                                          \
  " coalesce(substr(hashed_password, 1, 1) <> '!', false) as has_password, google_id, last_login, created_at, updated_at," \
  " deleted_at"

namespace quarry::accounts {

/// Ends all sessions of a user. Returns how many there were.
std::int64_t revoke_sessions_of(Write& tx, UserId user);

}  // namespace quarry::accounts
