#pragma once
/// Rows of `api_keys`, for those who make keys and those who check them.

#include "quarry/accounts/api_keys.hpp"

#define QUARRY_KEY_COLUMNS                                                                                                \
  "id, user_id, key_name, key_id, key_prefix, permissions, is_active, expires_at, last_used_at, revoked_at, replaced_by," \
  " created_at, updated_at"

/// `updated_at` moves forward with every change, also when the clock does not; `$2` is now.
#define QUARRY_KEY_MOVED_SQLITE "updated_at = max($2, updated_at + 1)"
#define QUARRY_KEY_MOVED_POSTGRES "updated_at = greatest($2, updated_at + interval '1 microsecond')"
