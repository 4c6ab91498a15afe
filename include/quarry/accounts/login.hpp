#pragma once
/// Logging in: a name and a password become a session.
///
///     const auto login = accounts::login(db, hasher, {.name = "ada@example.org", .password = std::move(password)});
///     if (login.status == LoginStatus::ok) set_cookie(login.opened->token);
///
/// It reads, hashes, and writes: no transaction is open while the password is hashed. The write looks again: a user who was
/// deactivated, or whose password was changed in between, is not let in.
///
/// **Guessing.** Five wrong passwords within 15 minutes lock the user (username and address count together) for 15 minutes
/// from the fifth on; the right password opens nothing meanwhile, and nothing is hashed. The count is kept in `rate_limits`
/// under `login:` and a hash, so it outlives restarts and holds for all processes, and it is settled in the writing
/// transaction: of any number of guesses at once, five are answered. Names that nobody has are counted and locked in the
/// same way, and take the same time, so that none of the answers tells whether there is such a user. (Only a bcrypt hash of
/// an old system takes another time, until its user has logged in once; and who knows a username and its address can see by
/// five guesses at one of them that they belong together.) Sessions that are open stay open.
///
/// A right password whose stored hash is weaker than today's is hashed anew and stored with the login.
///
/// Errors: those of `PasswordHasher::check` and of `open_session`. Being refused is a value. Thread safety: that of its
/// arguments.

#include <boost/describe.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "quarry/accounts/password.hpp"
#include "quarry/accounts/sessions.hpp"

namespace quarry::accounts {

enum class LoginStatus {
  ok,
  wrong,     ///< no such user, no password, or another one: which of them is not said
  inactive,  ///< the password is right, and the user is deactivated
  locked,    ///< too many were wrong
};
BOOST_DESCRIBE_ENUM(LoginStatus, ok, wrong, inactive, locked)

struct LoginRules {
  int failures_max = 5;
  std::chrono::seconds window = std::chrono::minutes(15);  ///< in which they are counted, and for which they lock
  SessionRules session{};
};

struct LoginRequest {
  std::string name{};  ///< username or email
  Secret password{};
  Origin origin{};
};

struct LoginResult {
  LoginStatus status = LoginStatus::wrong;
  std::optional<OpenedSession> opened{};  ///< when `ok`
  std::optional<User> user{};             ///< likewise
  std::optional<Instant> locked_until{};  ///< when `locked`
};
/// Lets somebody in by name and password. Not to be called inside of a transaction.
LoginResult login(const Database& db, const PasswordHasher& hasher, const LoginRequest& request,
                  const LoginRules& rules = {});

/// For somebody whose identity token Google has signed, which the caller has verified; `google_id` is its `sub`. `wrong`
/// when nobody has this account.
LoginResult login_with_google(Write& tx, std::string_view google_id, const Origin& origin = {},
                              const SessionRules& rules = {});

/// Forgets a user's wrong passwords. False when there were none.
bool unlock_user(Write& tx, UserId user);

}  // namespace quarry::accounts
