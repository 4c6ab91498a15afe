#pragma once
/// Who may do what, and the bounds of what comes in.

#include <string_view>

#include "quarry/core/id.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::billing {

/// Throws `denied` unless the transaction runs for the system or for an admin.
void require_admin(Read& tx, std::string_view what);
/// Throws `not_found`, as for a user who is not there, when the actor does not see this one.
void require_seen(Read& tx, UserId user);
[[noreturn]] void throw_no_user(UserId user);

}  // namespace quarry::billing
