#include "conformance/records/records_test.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/login.hpp"
#include "quarry/accounts/user_change.hpp"

namespace quarry::test {
namespace {

using accounts::LoginStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AccountRecords : public Records {
 protected:
  LoginStatus login(const std::string& name, const std::string& password) {
    return accounts::login(
               db(), hasher_,
               {.name = name, .password = Secret(password), .origin = {.ip_address = "192.0.2.7", .user_agent = "browser"}})
        .status;
  }
  accounts::PasswordHasher hasher_{{.cost = {64, 1}}};
};
QUARRY_BOTH_ENGINES(AccountRecords);

TEST_P(AccountRecords, UsersComeAndChangeAndGo) {
  const auto ada = make_user("ada");
  EXPECT_EQ(details(), R"({"google":false,"password":true,"role":"user"})");
  EXPECT_EQ(last().resource_id, ada.value);
  EXPECT_EQ(last().resource_type, "user");
  EXPECT_FALSE(last().user_id) << "the system did it";
  as(ada, [&](Write& tx) { accounts::update_user(tx, ada, {.email = "lovelace@example.org"}); });
  EXPECT_EQ(last().user_id, ada) << "she did it herself";
  EXPECT_EQ(details(), R"({"fields":["email"]})") << "the words themselves may have to be forgotten";
  as(ada, [&](Write& tx) { accounts::set_password(tx, ada, "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"); });
  write([&](Write& tx) {
    accounts::set_role(tx, ada, accounts::Role::moderator);
    accounts::deactivate_user(tx, ada);
    accounts::activate_user(tx, ada);
    accounts::verify_user(tx, ada);
    accounts::delete_user(tx, ada);
    accounts::undelete_user(tx, ada);
  });
  EXPECT_THAT(actions(), ElementsAre("user.create", "user.update", "user.password", "user.role", "user.deactivate",
                                     "user.activate", "user.verify", "user.delete", "user.undelete"));
  EXPECT_EQ(system::canonical_json(entries()[3].details.value().text), R"({"from":"user","to":"moderator"})");
}

TEST_P(AccountRecords, WhatChangesNothingIsNotWritten) {
  const auto ada = make_user("ada");
  const auto before = entries().size();
  write([&](Write& tx) {
    accounts::set_role(tx, ada, accounts::Role::user);
    accounts::activate_user(tx, ada);
    accounts::undelete_user(tx, ada);
    accounts::update_user(tx, ada, {});
  });
  EXPECT_THAT(actions_since(before), IsEmpty());
}

TEST_P(AccountRecords, WhatIsRolledBackIsNotWritten) {
  const auto ada = make_user("ada");
  const auto before = entries().size();
  EXPECT_ANY_THROW(write([&](Write& tx) {
    accounts::delete_user(tx, ada);
    throw std::runtime_error("no");
  }));
  EXPECT_THROW(make_user("ada"), Error) << "the name is taken";
  EXPECT_THAT(actions_since(before), IsEmpty());
}

TEST_P(AccountRecords, KeysAreNamedByTheirPublicPart) {
  const auto ada = make_user("ada");
  const accounts::Peppers peppers;
  const auto key = as(ada, [&](Write& tx) {
    return accounts::create_key(tx, peppers, {.user_id = ada, .name = "for CI", .scopes = {"jobs:read", "jobs:write"}}).key;
  });
  EXPECT_EQ(last().resource_id, key.id.value);
  EXPECT_EQ(details(),
            R"({"key_id":")" + key.key_id + R"(","scopes":["jobs:read","jobs:write"],"user_id":")" + to_string(ada) + "\"}");
  const auto next = write([&](Write& tx) { return accounts::rotate_key(tx, peppers, key.id).key; });
  EXPECT_THAT(details(), HasSubstr(R"("replaced_by":")" + next.key_id));
  write([&](Write& tx) {
    EXPECT_TRUE(accounts::revoke_key(tx, next.id));
    EXPECT_FALSE(accounts::revoke_key(tx, next.id));
  });
  EXPECT_THAT(actions(), ElementsAre("user.create", "key.create", "key.rotate", "key.revoke"));
}

TEST_P(AccountRecords, WrongPasswordsAndTheLockThatTheyBring) {
  const auto hash = hasher_.hash(Secret("correct horse"));
  const auto ada = write([&](Write& tx) {
    return accounts::create_user(tx, {.username = "ada", .email = "ada@example.org", .password_hash = hash}).id;
  });
  EXPECT_EQ(login("ada", "correct horse"), LoginStatus::ok);
  EXPECT_THAT(actions(), ElementsAre("user.create")) << "who may come in is in `last_login`";
  for (int i = 0; i < 8; ++i) login("ada", "battery staple");
  EXPECT_THAT(actions_since(1),
              ElementsAre("login.failed", "login.failed", "login.failed", "login.failed", "login.failed", "login.locked"))
      << "who is locked out is not counted any more";
  EXPECT_EQ(last().resource_id, ada.value);
  EXPECT_EQ(last().ip_address, "192.0.2.7");
  EXPECT_EQ(last().user_agent, "browser");
  write([&](Write& tx) { accounts::unlock_user(tx, ada); });
  EXPECT_EQ(last().action, "login.unlocked");
}

TEST_P(AccountRecords, NamesThatNobodyHasLeaveTheSameTraceWithoutTheName) {
  for (int i = 0; i < 6; ++i) EXPECT_NE(login("hunter2", "x"), LoginStatus::ok);
  EXPECT_THAT(actions(),
              ElementsAre("login.failed", "login.failed", "login.failed", "login.failed", "login.failed", "login.locked"));
  for (const auto& entry : entries()) {
    EXPECT_FALSE(entry.resource_id);
    EXPECT_THAT(entry.details.value().text, Not(HasSubstr("hunter2"))) << "it may be a password";
  }
}

TEST_P(AccountRecords, AnAddressThatIsNoneSpoilsNothing) {
  const auto status =
      accounts::login(db(), hasher_, {.name = "nobody", .password = Secret("x"), .origin = {.ip_address = "a house"}})
          .status;
  EXPECT_EQ(status, LoginStatus::wrong);
  EXPECT_FALSE(last().ip_address);
}

TEST_P(AccountRecords, GoogleAccountsThatMayNotComeIn) {
  write([](Write& tx) {
    accounts::login_with_google(tx, "unknown");
    const auto eve =
        accounts::create_user(tx, {.username = "eve", .email = "eve@example.org", .google_id = "g", .is_active = false});
    accounts::login_with_google(tx, eve.google_id.value());
  });
  EXPECT_THAT(actions(), ElementsAre("login.failed", "user.create", "login.failed"));
  EXPECT_EQ(details(), R"({"reason":"inactive"})");
}

// The setting enable_audit_logging.
TEST_P(AccountRecords, CanBeSwitchedOffButForWhatGuardsTheLogItself) {
  const auto ada = make_user("ada");
  switch_off();
  const auto before = entries().size();
  EXPECT_EQ(last().action, "setting.set") << "that it was switched off is written";
  as(ada, [&](Write& tx) { accounts::update_user(tx, ada, {.full_name = "Ada"}); });
  write([&](Write& tx) { accounts::set_role(tx, ada, accounts::Role::admin); });
  login("ada", "wrong");
  EXPECT_THAT(actions_since(before), IsEmpty());
  write([](Write& tx) { system::set(tx, {.key = "enable_audit_logging", .value = "true"}); });
  as(ada, [&](Write& tx) { accounts::update_user(tx, ada, {.full_name = "Ada L"}); });
  EXPECT_THAT(actions_since(before), ElementsAre("setting.set", "user.update"));
}

// The switch is read past the tenant's role, which must not stay open behind it.
TEST_P(AccountRecords, ATenantSeesNoMoreAfterwards) {
  const auto ada = make_user("ada"), bob = make_user("bob");
  as(ada, [&](Write& tx) {
    accounts::update_user(tx, ada, {.full_name = "Ada"});
    EXPECT_FALSE(accounts::find_user(tx, bob));
    const auto seen = tx.value(sql::Query<std::int64_t()>("test.users", std::string("select count(*) from users")));
    if (is_postgres()) {
      EXPECT_EQ(seen, 1);
    }
    EXPECT_THROW(system::find(tx, "enable_audit_logging"), Error);
  });
  if (is_sqlite()) return;
  as(ada, [&](Write& tx) {
    try {
      tx.attempt([&] {
        accounts::update_user(tx, ada, {.full_name = "Countess"});
        throw std::runtime_error("back");
      });
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(tx.value(sql::Query<std::string()>("test.role", std::string("select current_user::text"))), "quarry_tenant");
    EXPECT_EQ(tx.value(sql::Query<std::int64_t()>("test.users", std::string("select count(*) from users"))), 1);
  });
}

}  // namespace
}  // namespace quarry::test
