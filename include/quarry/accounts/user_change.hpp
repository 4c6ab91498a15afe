#pragma once
/// Users changed: their own words, their password, their role and standing.
///
/// A user changes their own words and password and may delete themself; everything else is for admins (`denied`). What makes
/// a user somebody else, or nobody, ends their sessions: a new password, another role, deactivation, deletion. API keys of
/// users that are inactive or deleted do not work while they are.
///
/// To take a user away for good, with all that is theirs, spans the stores: see `quarry/ops`.
///
/// Errors: `not_found` (also a user that the actor does not see), `invalid`, `conflict` (taken, or changed since it was
/// read), `denied`.

#include <optional>
#include <string>

#include "quarry/accounts/users.hpp"

namespace quarry::accounts {

/// What is set is changed; an inner nothing takes a value away.
struct UserChanges {
  std::optional<std::string> username{};
  std::optional<std::string> email{};  ///< another one is not verified
  std::optional<std::optional<std::string>> full_name{};
  std::optional<std::optional<std::string>> google_id{};  ///< by the system and admins, who have seen Google's token
  /// `updated_at` as the caller read it; the user must not have changed since. (Logging in changes it, too.)
  std::optional<Instant> unchanged_since{};
};
/// The user as it is now.
User update_user(Write& tx, UserId user, const UserChanges& changes);

/// `hash` comes from `PasswordHasher::hash`; nothing leaves the user with the Google account alone.
void set_password(Write& tx, UserId user, const std::optional<std::string>& hash);

/// These return whether it was otherwise before.
bool set_role(Write& tx, UserId user, Role role);
/// Lets the user in again.
bool activate_user(Write& tx, UserId user);
/// Ends all sessions; neither password nor key opens anything until the user is activated.
bool deactivate_user(Write& tx, UserId user);
/// The address is theirs.
bool verify_user(Write& tx, UserId user);

/// Hides a user: nobody finds them, and their name, address and Google account are free for others. What they own stays.
/// False when they were deleted already.
bool delete_user(Write& tx, UserId user);
/// Brings them back, without their sessions. `conflict` when somebody else has taken one of their names meanwhile. False
/// when they were not deleted.
bool undelete_user(Write& tx, UserId user);

}  // namespace quarry::accounts
