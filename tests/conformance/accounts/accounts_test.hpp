#pragma once
/// A database with users, and what they may.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quarry/accounts/password.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/accounts/user_list.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class AccountsTest : public MigratedEngines {
 protected:
  /// Nobody's password, for users whose password does not matter.
  accounts::User create(const std::string& name, accounts::Role role = accounts::Role::user) {
    return create({.username = name, .email = name + "@example.org", .password_hash = "!", .role = role});
  }
  accounts::User create(const accounts::NewUser& user) {
    return db().write([&](Write& tx) { return accounts::create_user(tx, user); });
  }
  accounts::User get(UserId id) {
    return db().read([&](Read& tx) { return accounts::get_user(tx, id); });
  }
  /// A write on somebody's behalf.
  template <class F>
  auto as(const Actor& actor, F&& body) {
    return db().write({.actor = actor}, std::forward<F>(body));
  }
  template <class F>
  auto as(const accounts::User& user, F&& body) {
    return as(Actor::user(user.id), std::forward<F>(body));
  }
};

/// The message of an `Error` with this code that `body` must throw.
template <class F>
std::string refusal(ErrorCode code, F&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.client_message() << " " << error.engine_message();
    return error.client_message();
  }
  ADD_FAILURE() << "this was not refused";
  return {};
}

}  // namespace quarry::test
