#pragma once
/// The limits of what users are called, who may do what, and what the engines' refusals mean.

#include <optional>
#include <string>
#include <string_view>

#include "quarry/accounts/users.hpp"
#include "quarry/core/error.hpp"

namespace quarry::accounts {

/// These throw `invalid` and name the field.
void check_username(std::string_view username);
void check_email(std::string_view email);
void check_full_name(std::string_view name);
void check_google_id(std::string_view google_id);

/// Whether a name that somebody asks for could be anybody's. Both engines hold UTF-8 without zero bytes; asked for anything
/// else, one of them finds nothing and the other one complains.
bool can_be_stored(std::string_view text);

/// Throws `denied` unless the actor is the system or an admin.
void require_admin(const Read& tx, std::string_view what);

[[noreturn]] void throw_no_user(UserId user);

/// Writes what was done to a user into the audit log; `details` is a JSON object. Last of all in a transaction.
void record_user(Write& tx, std::string_view action, UserId user, std::string_view details = "{}");

/// Throws what `error` means in the words of this part (`conflict`), if it is about names that are taken or a missing
/// credential.
void translate(const Error& error);

/// Runs `body`, whose refusals by the rules of the table come out translated. Of several things that are taken an engine
/// names any: `look_closer()` runs then, for whoever sets several, and throws what is to be said instead.
template <class F, class G>
void keep_unique(Write& tx, F&& body, G&& look_closer) {
  try {
    tx.attempt(body);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::constraint) {
      look_closer();
      translate(error);
    }
    throw;
  }
}
template <class F>
void keep_unique(Write& tx, F&& body) {
  keep_unique(tx, body, [] {});
}

/// Throws `conflict` for the first of them, in this order, that a user has who is there. For actors that see all users.
void throw_if_taken(Read& tx, std::string_view username, std::string_view email,
                    const std::optional<std::string>& google_id);

}  // namespace quarry::accounts
