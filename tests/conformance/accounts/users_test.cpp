#include <atomic>
#include <thread>

#include "conformance/accounts/accounts_test.hpp"

namespace quarry::test {
namespace {

using accounts::NewUser;
using accounts::Role;
using accounts::User;
using accounts::UserFilter;
using accounts::UserOrder;
using store::Direction;
using testing::ElementsAre;
using testing::HasSubstr;

class Users : public AccountsTest {
 protected:
  std::vector<std::string> names(const UserFilter& filter = {},
                                 const accounts::UserListOrder& order = {UserOrder::username, Direction::ascending}) {
    std::vector<std::string> names;
    for (const auto& user : db().read([&](Read& tx) { return accounts::list_users(tx, filter, {}, order); }).rows)
      names.push_back(user.username);
    return names;
  }
  User update(const User& user, const accounts::UserChanges& changes) {
    return db().write([&](Write& tx) { return accounts::update_user(tx, user.id, changes); });
  }
  bool change(bool (*what)(Write&, UserId), const User& user) {
    return db().write([&](Write& tx) { return what(tx, user.id); });
  }
};
QUARRY_BOTH_ENGINES(Users);

TEST_P(Users, ByPasswordByGoogleOrByBoth) {
  const auto ada = create({.username = "Ada", .email = "Ada@Example.org", .password_hash = "!", .full_name = "Ada L."});
  const auto bob = create({.username = "bob", .email = "bob@example.org", .google_id = "1001", .role = Role::moderator});
  const auto eve = create({.username = "eve",
                           .email = "eve@example.org",
                           .password_hash = accounts::PasswordHasher({.cost = {64, 1}}).hash(Secret("correct horse")),
                           .google_id = "1002",
                           .is_active = false,
                           .is_verified = true});
  EXPECT_FALSE(ada.has_password) << "'!' is nobody's";
  EXPECT_FALSE(bob.has_password);
  EXPECT_TRUE(eve.has_password);
  EXPECT_EQ(ada.username, "Ada");
  EXPECT_EQ(ada.full_name, "Ada L.");
  EXPECT_EQ(bob.role, Role::moderator);
  EXPECT_FALSE(eve.is_active);
  EXPECT_TRUE(eve.is_verified);
  EXPECT_EQ(ada.created_at, TestDatabase::kStart);
  EXPECT_EQ(ada.updated_at, TestDatabase::kStart);
  db().read([&](Read& tx) {
    EXPECT_EQ(accounts::find_user(tx, "aDA")->id, ada.id);
    EXPECT_EQ(accounts::find_user(tx, ada.id)->email, "Ada@Example.org");
    EXPECT_EQ(accounts::find_user_by_email(tx, "ada@EXAMPLE.org")->id, ada.id);
    EXPECT_EQ(accounts::find_user_by_google_id(tx, "1002")->id, eve.id);
    EXPECT_FALSE(accounts::find_user_by_google_id(tx, "1003"));
    EXPECT_FALSE(accounts::find_user(tx, "ad"));
    EXPECT_TRUE(accounts::user_exists(tx, bob.id));
    EXPECT_FALSE(accounts::user_exists(tx, UserId{}));
  });
  EXPECT_THAT(refusal(ErrorCode::not_found, [&] { get(UserId{}); }), HasSubstr("00000000-"));
}

TEST_P(Users, NamesAddressesAndGoogleAccountsAreTakenOnce) {
  create({.username = "ada", .email = "ada@example.org", .google_id = "1"});
  const auto taken = [&](const NewUser& user) { return refusal(ErrorCode::conflict, [&] { create(user); }); };
  EXPECT_THAT(taken({.username = "ADA", .email = "b@example.org", .google_id = "2"}), HasSubstr("this username"));
  EXPECT_THAT(taken({.username = "bob", .email = "ADA@example.ORG", .google_id = "2"}), HasSubstr("this email"));
  EXPECT_THAT(taken({.username = "bob", .email = "b@example.org", .google_id = "1"}), HasSubstr("this Google account"));
  const auto bob = create("bob");
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { update(bob, {.username = "Ada"}); }), HasSubstr("this username"));
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { update(bob, {.email = "Ada@example.org"}); }), HasSubstr("this email"));
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { update(bob, {.google_id = "1"}); }), HasSubstr("Google"));
  EXPECT_EQ(get(bob.id).username, "bob");
  update(bob, {.username = "BOB"});
}

TEST_P(Users, OfSeveralThatAreTakenTheFirstIsNamedOnBothEngines) {
  const auto ada = create({.username = "ada", .email = "ada@example.org", .google_id = "1"});
  const auto refused = [&](const NewUser& user) { return refusal(ErrorCode::conflict, [&] { create(user); }); };
  EXPECT_THAT(refused({.username = "ada", .email = "ada@example.org", .google_id = "1"}), HasSubstr("this username"));
  EXPECT_THAT(refused({.username = "eve", .email = "ada@example.org", .google_id = "1"}), HasSubstr("this email"));
  const auto bob = create("bob");
  const auto changed = [&](const accounts::UserChanges& changes) {
    return refusal(ErrorCode::conflict, [&] { update(bob, changes); });
  };
  EXPECT_THAT(changed({.username = "ada", .email = "ada@example.org", .google_id = "1"}), HasSubstr("this username"));
  EXPECT_THAT(changed({.username = "eve", .email = "ada@example.org", .google_id = "1"}), HasSubstr("this email"));
  EXPECT_THAT(changed({.username = "eve", .email = "eve@example.org", .google_id = "1"}), HasSubstr("Google account"));
  EXPECT_EQ(get(bob.id).username, "bob") << "what was free is not changed either";
  change(accounts::delete_user, ada);
  create({.username = "ada", .email = "ada@example.org", .google_id = "2"});
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { change(accounts::undelete_user, ada); }), HasSubstr("this username"));
}

TEST_P(Users, OfManyWhoWantANameAtOnceOneGetsIt) {
  create("eve");  // the database is made before the threads are
  std::atomic<int> made = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      try {
        create({.username = i % 2 == 0 ? "ada" : "ADA", .email = std::to_string(i) + "@example.org", .password_hash = "!"});
        ++made;
      } catch (const Error& error) {
        if (error.code() == ErrorCode::conflict) ++refused;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(refused, 7);
}

TEST_P(Users, ARefusedNameLeavesTheTransactionWhole) {
  create("ada");
  db().write([&](Write& tx) {
    accounts::create_user(tx, {.username = "bob", .email = "b@example.org", .password_hash = "!"});
    refusal(ErrorCode::conflict,
            [&] { accounts::create_user(tx, {.username = "ada", .email = "x@example.org", .password_hash = "!"}); });
  });
  EXPECT_THAT(names(), ElementsAre("ada", "bob"));
}

TEST_P(Users, InputIsCheckedBeforeTheEngineSeesIt) {
  const auto bad = [&](const NewUser& user) { return refusal(ErrorCode::invalid, [&] { create(user); }); };
  const NewUser good{.username = "ada", .email = "ada@example.org", .password_hash = "!"};
  for (const char* name : {"", " ada", "a da", "@da", "-ada", "ädä", "a\nb"}) {
    auto user = good;
    user.username = name;
    EXPECT_THAT(bad(user), HasSubstr("username")) << name;
  }
  for (const char* email : {"", "ada", "@b", "a@", "a b@c", "a@b@c", "a@.b", "a@b.", "ä@b.org"}) {
    auto user = good;
    user.email = email;
    EXPECT_THAT(bad(user), HasSubstr("email")) << email;
  }
  auto user = good;
  user.username = std::string(51, 'a');
  EXPECT_THAT(bad(user), HasSubstr("50"));
  user = good;
  user.full_name = std::string(101, 'a');
  EXPECT_THAT(bad(user), HasSubstr("full name"));
  user = good;
  user.google_id = "";
  EXPECT_THAT(bad(user), HasSubstr("Google id"));
  user = good;
  user.password_hash = "correct horse";
  EXPECT_THAT(bad(user), testing::AllOf(HasSubstr("hash"), testing::Not(HasSubstr("correct horse"))));
  user = good;
  user.password_hash.reset();
  EXPECT_THAT(bad(user), HasSubstr("both"));
}

TEST_P(Users, OnlyNamedFieldsChange) {
  const auto ada = create({.username = "ada",
                           .email = "ada@example.org",
                           .password_hash = "!",
                           .google_id = "1",
                           .full_name = "Ada",
                           .is_verified = true});
  clock().advance(std::chrono::seconds(1));
  auto now = update(ada, {.full_name = "Ada Lovelace"});
  EXPECT_EQ(now.full_name, "Ada Lovelace");
  EXPECT_EQ(now.email, ada.email);
  EXPECT_TRUE(now.is_verified);
  EXPECT_GT(now.updated_at, ada.updated_at);
  now = update(ada, {.full_name = std::optional<std::string>()});
  EXPECT_FALSE(now.full_name);
  now = update(ada, {.email = "ada@example.com"});
  EXPECT_FALSE(now.is_verified) << "another address has not been verified";
  now = update(ada, {.google_id = std::optional<std::string>()});
  EXPECT_FALSE(now.google_id);
  refusal(ErrorCode::invalid, [&] { update(ada, {.email = "nowhere"}); });
  EXPECT_EQ(update(ada, {}).updated_at, now.updated_at) << "nothing named, nothing changed";
}

TEST_P(Users, AStaleChangeIsAConflict) {
  const auto ada = create("ada");
  const auto first = update(ada, {.full_name = "A", .unchanged_since = ada.updated_at});
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { update(ada, {.full_name = "B", .unchanged_since = ada.updated_at}); }),
              HasSubstr("read it again"));
  EXPECT_EQ(get(ada.id).full_name, "A");
  update(ada, {.full_name = "B", .unchanged_since = first.updated_at});
}

TEST_P(Users, AUserKeepsACredential) {
  const auto bob = create({.username = "bob", .email = "bob@example.org", .google_id = "1"});
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { update(bob, {.google_id = std::optional<std::string>()}); }),
              HasSubstr("neither a password nor"));
  const auto set = [&](const std::optional<std::string>& hash) {
    db().write([&](Write& tx) { accounts::set_password(tx, bob.id, hash); });
  };
  set(accounts::PasswordHasher({.cost = {64, 1}}).hash(Secret("correct horse")));
  EXPECT_TRUE(get(bob.id).has_password);
  update(bob, {.google_id = std::optional<std::string>()});
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { set(std::nullopt); }), HasSubstr("neither"));
  refusal(ErrorCode::invalid, [&] { set("plain text"); });
}

TEST_P(Users, FiltersSearchAndCount) {
  create({.username = "ada",
          .email = "ada@example.org",
          .password_hash = "!",
          .full_name = "Lady L_velace",
          .role = Role::admin});
  create({.username = "bob", .email = "b.o.b@example.com", .password_hash = "!", .is_verified = true});
  const auto eve = create({.username = "eve", .email = "eve@example.org", .password_hash = "!", .is_active = false});
  EXPECT_THAT(names({.role = Role::admin}), ElementsAre("ada"));
  EXPECT_THAT(names({.is_active = true}), ElementsAre("ada", "bob"));
  EXPECT_THAT(names({.is_verified = true}), ElementsAre("bob"));
  EXPECT_THAT(names({.text = "EXAMPLE.ORG"}), ElementsAre("ada", "eve")) << "the email";
  EXPECT_THAT(names({.text = "AD"}), ElementsAre("ada")) << "the username";
  EXPECT_THAT(names({.text = "l_v"}), ElementsAre("ada")) << "the full name; '_' is itself";
  EXPECT_THAT(names({.text = "%"}), ElementsAre());
  change(accounts::delete_user, eve);
  EXPECT_THAT(names(), ElementsAre("ada", "bob"));
  EXPECT_THAT(names({.deleted = true}), ElementsAre("eve"));
  db().read([&](Read& tx) {
    EXPECT_EQ(accounts::count_users(tx), 2);
    EXPECT_EQ(accounts::count_users(tx, {.text = "b.o.b"}), 1);
    EXPECT_EQ(accounts::list_users(tx, {}, {.limit = 1, .with_total = true}).total, 2);
    refusal(ErrorCode::invalid, [&] { accounts::list_users(tx, {}, {.limit = 0}); });
    refusal(ErrorCode::invalid, [&] { accounts::list_users(tx, {}, {.after = "x"}); });
  });
}

TEST_P(Users, EveryOrderPagesWithoutLossOrRepetitionWhileOthersCome) {
  for (const char* name : {"b", "a", "B2", "c", "A2", "d"}) {
    create(name);
    if (name[0] != 'a') clock().advance(std::chrono::seconds(1));
  }
  for (const auto by : {UserOrder::created_at, UserOrder::username, UserOrder::email})
    for (const auto direction : {Direction::ascending, Direction::descending}) {
      const auto whole = names({}, {by, direction});
      ASSERT_EQ(whole.size(), 6U);
      for (const int limit : {1, 4, 6}) {
        std::vector<std::string> paged;
        PageRequest request{.limit = limit};
        for (;;) {
          auto page = db().read([&](Read& tx) { return accounts::list_users(tx, {}, request, {by, direction}); });
          for (const auto& user : page.rows) paged.push_back(user.username);
          if (!page.next) break;
          request.after = *page.next;
        }
        EXPECT_EQ(paged, whole);
      }
    }
  EXPECT_THAT(names(), ElementsAre("A2", "B2", "a", "b", "c", "d")) << "by bytes, on both engines";
}

TEST_P(Users, StandingChanges) {
  const auto ada = create("ada");
  EXPECT_TRUE(change(accounts::verify_user, ada));
  EXPECT_FALSE(change(accounts::verify_user, ada));
  EXPECT_TRUE(change(accounts::deactivate_user, ada));
  EXPECT_FALSE(change(accounts::deactivate_user, ada));
  EXPECT_FALSE(get(ada.id).is_active);
  EXPECT_TRUE(change(accounts::activate_user, ada));
  EXPECT_FALSE(change(accounts::activate_user, ada));
  const auto promote = [&] {
    return db().write([&](Write& tx) { return accounts::set_role(tx, ada.id, Role::moderator); });
  };
  EXPECT_TRUE(promote());
  EXPECT_FALSE(promote());
  EXPECT_EQ(get(ada.id).role, Role::moderator);
  refusal(ErrorCode::not_found, [&] { db().write([](Write& tx) { accounts::verify_user(tx, {}); }); });
}

TEST_P(Users, DeletedUsersAreHiddenAndComeBack) {
  const auto ada = create("ada");
  EXPECT_TRUE(change(accounts::delete_user, ada));
  EXPECT_FALSE(change(accounts::delete_user, ada));
  db().read([&](Read& tx) {
    EXPECT_FALSE(accounts::find_user(tx, ada.id));
    EXPECT_FALSE(accounts::find_user(tx, "ada"));
    EXPECT_FALSE(accounts::find_user_by_email(tx, ada.email));
    EXPECT_EQ(accounts::find_any_user(tx, ada.id)->deleted_at, tx.now());
  });
  refusal(ErrorCode::not_found, [&] { update(ada, {.full_name = "A"}); });
  refusal(ErrorCode::not_found, [&] { change(accounts::verify_user, ada); });
  EXPECT_TRUE(change(accounts::undelete_user, ada));
  EXPECT_FALSE(change(accounts::undelete_user, ada));
  EXPECT_FALSE(get(ada.id).deleted_at);
  refusal(ErrorCode::not_found, [&] { db().write([](Write& tx) { accounts::delete_user(tx, {}); }); });
}

TEST_P(Users, ADeletedUsersNameIsFreeAndThenTheyStayAway) {
  const auto first = create("ada");
  change(accounts::delete_user, first);
  const auto second = create("ADA");
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { change(accounts::undelete_user, first); }), HasSubstr("another user has"));
  change(accounts::delete_user, second);
  EXPECT_TRUE(change(accounts::undelete_user, first));
}

TEST_P(Users, Figures) {
  create({.username = "old", .email = "old@example.org", .google_id = "1", .role = Role::moderator, .is_active = false});
  clock().advance(std::chrono::hours(24 * 31));
  create("ada", Role::admin);
  create({.username = "eve",
          .email = "eve@example.org",
          .password_hash = accounts::PasswordHasher({.cost = {64, 1}}).hash(Secret("correct horse")),
          .is_verified = true});
  change(accounts::delete_user, create("gone"));
  const auto figures = db().read([](Read& tx) { return accounts::user_statistics(tx); });
  EXPECT_EQ(figures.users, 3);
  EXPECT_EQ(figures.active, 2);
  EXPECT_EQ(figures.verified, 1);
  EXPECT_EQ(figures.admins, 1);
  EXPECT_EQ(figures.moderators, 1);
  EXPECT_EQ(figures.with_password, 1);
  EXPECT_EQ(figures.with_google, 1);
  EXPECT_EQ(figures.new_in_30_days, 2);
  EXPECT_EQ(figures.logged_in_within_30_days, 0);
  EXPECT_EQ(figures.deleted, 1);
}

TEST_P(Users, AUserSeesAndChangesThemselfAlone) {
  const auto ada = create("ada");
  const auto bob = create("bob", Role::moderator);
  as(ada, [&](Write& tx) {
    EXPECT_EQ(accounts::get_user(tx, ada.id).username, "ada");
    EXPECT_FALSE(accounts::find_user(tx, bob.id));
    EXPECT_FALSE(accounts::find_user(tx, "bob"));
    EXPECT_FALSE(accounts::find_user_by_email(tx, "bob@example.org"));
    EXPECT_FALSE(accounts::find_any_user(tx, bob.id));
    EXPECT_EQ(accounts::list_users(tx).rows.size(), 1U);
    EXPECT_EQ(accounts::count_users(tx), 1);
    EXPECT_EQ(accounts::update_user(tx, ada.id, {.full_name = "Ada"}).full_name, "Ada");
    accounts::set_password(tx, ada.id, "!");
    refusal(ErrorCode::not_found, [&] { accounts::update_user(tx, bob.id, {.full_name = "B"}); });
    refusal(ErrorCode::not_found, [&] { accounts::set_password(tx, bob.id, "!"); });
    refusal(ErrorCode::not_found, [&] { accounts::delete_user(tx, bob.id); });
    refusal(ErrorCode::denied, [&] { accounts::create_user(tx, {.username = "x", .email = "x@x", .password_hash = "!"}); });
    refusal(ErrorCode::denied, [&] { accounts::set_role(tx, ada.id, Role::admin); });
    refusal(ErrorCode::denied, [&] { accounts::update_user(tx, ada.id, {.google_id = "1"}); });
    refusal(ErrorCode::denied, [&] { accounts::activate_user(tx, ada.id); });
    refusal(ErrorCode::denied, [&] { accounts::deactivate_user(tx, bob.id); });
    refusal(ErrorCode::denied, [&] { accounts::verify_user(tx, ada.id); });
    refusal(ErrorCode::denied, [&] { accounts::undelete_user(tx, ada.id); });
    refusal(ErrorCode::denied, [&] { accounts::user_statistics(tx); });
    EXPECT_THAT(refusal(ErrorCode::conflict, [&] { accounts::update_user(tx, ada.id, {.username = "bob"}); }),
                HasSubstr("this username"));
  });
  EXPECT_FALSE(get(bob.id).full_name);
  as(bob, [&](Write& tx) { EXPECT_FALSE(accounts::find_user(tx, ada.id)) << "a moderator sees no more"; });
  as(ada, [&](Write& tx) { EXPECT_TRUE(accounts::delete_user(tx, ada.id)); });
}

TEST_P(Users, AnAdminSeesAndChangesAll) {
  const auto root = create("root", Role::admin);
  const auto bob = create("bob");
  as(Actor::admin(root.id), [&](Write& tx) {
    EXPECT_EQ(accounts::count_users(tx), 2);
    EXPECT_TRUE(accounts::set_role(tx, bob.id, Role::admin));
    EXPECT_TRUE(accounts::deactivate_user(tx, bob.id));
    EXPECT_EQ(accounts::user_statistics(tx).users, 2);
    accounts::create_user(tx, {.username = "eve", .email = "eve@example.org", .password_hash = "!"});
  });
}

TEST_P(Users, TheLocalUserIsMadeOnceAndIsNobodyToLogInAs) {
  const auto id = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  EXPECT_EQ(db().write([](Write& tx) { return accounts::ensure_local_user(tx); }), id);
  EXPECT_EQ(get(id).role, Role::admin);
  EXPECT_FALSE(get(id).has_password);
}

}  // namespace
}  // namespace quarry::test
