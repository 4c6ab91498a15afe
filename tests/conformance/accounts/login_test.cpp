#include "quarry/accounts/login.hpp"

#include <atomic>
#include <thread>

#include "conformance/accounts/accounts_test.hpp"

namespace quarry::test {
namespace {

using accounts::LoginStatus;
using accounts::PasswordHasher;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kPassword = "correct horse";
/// The same, by crypt(3).
constexpr const char* kBcrypt = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

class Login : public AccountsTest {
 protected:
  accounts::User create_with(const std::string& name, std::string hash) {
    return create({.username = name, .email = name + "@example.org", .password_hash = std::move(hash)});
  }
  accounts::User create_with_password(const std::string& name) { return create_with(name, hasher_.hash(Secret(kPassword))); }
  accounts::LoginResult login(const std::string& name, const std::string& password = kPassword) {
    return accounts::login(db(), hasher_, {.name = name, .password = Secret(password)});
  }
  LoginStatus status(const std::string& name, const std::string& password = kPassword) {
    return login(name, password).status;
  }
  std::string stored_hash(UserId user) {
    static constexpr sql::Query<std::string(UserId)> find{"test.hash", "select hashed_password from users where id = $1"};
    return db().read([&](Read& tx) { return tx.value(find, user); });
  }
  std::int64_t count(const char* table) {
    const auto text = std::string("select count(*) from ") + table;
    return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", text)); });
  }

  std::atomic<int> hashes_ = 0;
  std::function<void()> on_hash_;
  PasswordHasher hasher_{{.cost = {64, 1}, .on_hash = [this](std::int64_t) {
                            ++hashes_;
                            if (on_hash_) on_hash_();
                          }}};
};
QUARRY_BOTH_ENGINES(Login);

TEST_P(Login, ByUsernameOrAddressWithoutRegardToCase) {
  const auto ada = create_with_password("ada");
  clock().advance(std::chrono::seconds(1));
  for (const char* name : {"ada", "ADA", "ada@example.org", "Ada@Example.ORG"}) {
    const auto result = login(name);
    ASSERT_EQ(result.status, LoginStatus::ok) << name;
    EXPECT_EQ(result.user->id, ada.id);
    EXPECT_EQ(accounts::authenticate(db(), result.opened->token.reveal())->user.id, ada.id);
  }
  EXPECT_EQ(get(ada.id).last_login, db().now());
  EXPECT_GT(get(ada.id).updated_at, ada.updated_at);
}

TEST_P(Login, AWrongPasswordAndAnUnknownUserAreTheSame) {
  create_with_password("ada");
  create({.username = "goo", .email = "goo@example.org", .google_id = "1"});
  create("nobody");
  hashes_ = 0;
  for (const char* name : {"ada", "eve", "goo", "nobody", "eve@example.org", ""}) {
    const auto result = login(name, "wrong horse");
    EXPECT_EQ(result.status, LoginStatus::wrong) << name;
    EXPECT_FALSE(result.opened);
    EXPECT_FALSE(result.user);
    EXPECT_FALSE(result.locked_until);
  }
  EXPECT_EQ(hashes_, 6) << "each of them took a hash";
  EXPECT_EQ(status("ada"), LoginStatus::ok);
  EXPECT_EQ(status("!"), LoginStatus::wrong);
  EXPECT_EQ(status("nobody", "!"), LoginStatus::wrong);
  EXPECT_EQ(status("ada' or '1'='1"), LoginStatus::wrong);
}

TEST_P(Login, InactiveIsSaidOnlyToWhoKnowsThePassword) {
  const auto ada = create_with_password("ada");
  db().write([&](Write& tx) { accounts::deactivate_user(tx, ada.id); });
  EXPECT_EQ(status("ada", "wrong horse"), LoginStatus::wrong);
  EXPECT_EQ(status("ada"), LoginStatus::inactive);
  EXPECT_EQ(count("user_sessions"), 0);
  db().write([&](Write& tx) { accounts::delete_user(tx, ada.id); });
  EXPECT_EQ(status("ada"), LoginStatus::wrong);
}

TEST_P(Login, FiveWrongOnesLockForAQuarterOfAnHour) {
  const auto ada = create_with_password("ada");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(status(i % 2 == 0 ? "ada" : "ada@example.org", "wrong horse"), LoginStatus::wrong);
    clock().advance(std::chrono::minutes(2));
  }
  const auto fifth = db().now() - std::chrono::minutes(2);
  hashes_ = 0;
  const auto result = login("ada");
  EXPECT_EQ(result.status, LoginStatus::locked) << "the right password opens nothing";
  EXPECT_EQ(result.locked_until, fifth + std::chrono::minutes(15));
  EXPECT_EQ(hashes_, 0);
  database().reopen();
  EXPECT_EQ(status("ada@example.org"), LoginStatus::locked) << "it outlives a restart";
  EXPECT_EQ(status("eve"), LoginStatus::wrong) << "others are not locked";
  clock().set(*result.locked_until - std::chrono::microseconds(1));
  EXPECT_EQ(status("ada"), LoginStatus::locked);
  clock().set(*result.locked_until);
  EXPECT_EQ(status("ada"), LoginStatus::ok);
  EXPECT_EQ(get(ada.id).last_login, db().now());
}

TEST_P(Login, ANameThatNobodyHasIsLockedLikeAnyOther) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(status(i % 2 == 0 ? "eve" : "EVE", "wrong horse"), LoginStatus::wrong);
  EXPECT_EQ(status("eve"), LoginStatus::locked);
}

TEST_P(Login, ARightOneForgetsTheWrongOnesAndSoDoesTime) {
  create_with_password("ada");
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(status("ada", "wrong horse"), LoginStatus::wrong);
    EXPECT_EQ(status("ada"), LoginStatus::ok);
  }
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(status("ada", "wrong horse"), LoginStatus::wrong);
    clock().advance(std::chrono::minutes(15));
  }
  EXPECT_EQ(status("ada"), LoginStatus::ok);
  EXPECT_EQ(count("rate_limits"), 0);
}

TEST_P(Login, AnAdminUnlocks) {
  const auto ada = create_with_password("ada");
  for (int i = 0; i < 5; ++i) status("ada", "wrong horse");
  const auto unlock = [&](Write& tx) { return accounts::unlock_user(tx, ada.id); };
  refusal(ErrorCode::denied, [&] { as(ada, unlock); });
  EXPECT_TRUE(db().write(unlock));
  EXPECT_FALSE(db().write(unlock));
  EXPECT_EQ(status("ada"), LoginStatus::ok);
}

TEST_P(Login, OfManyGuessesAtOnceFiveAreAnswered) {
  create_with_password("ada");
  std::atomic<int> wrong = 0, locked = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 3; ++j) {
        const auto result = status("ada", "wrong horse");
        if (result == LoginStatus::wrong) ++wrong;
        if (result == LoginStatus::locked) ++locked;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 5);
  EXPECT_EQ(locked, 19);
}

TEST_P(Login, BcryptIsUpgradedAtTheFirstLogin) {
  const auto ada = create_with("ada", kBcrypt);
  EXPECT_EQ(status("ada", "wrong horse"), LoginStatus::wrong);
  EXPECT_EQ(stored_hash(ada.id), kBcrypt);
  EXPECT_EQ(status("ada"), LoginStatus::ok);
  EXPECT_THAT(stored_hash(ada.id), StartsWith("$argon2id$v=19$m=64,t=1,"));
  EXPECT_EQ(status("ada"), LoginStatus::ok);
}

TEST_P(Login, AWeakerHashIsReplacedAndAStrongerOneStays) {
  const auto weak = create_with("weak", PasswordHasher({.cost = {32, 1}}).hash(Secret(kPassword)));
  const auto strong_hash = PasswordHasher({.cost = {128, 2}}).hash(Secret(kPassword));
  const auto strong = create_with("strong", strong_hash);
  EXPECT_EQ(status("weak"), LoginStatus::ok);
  EXPECT_EQ(status("strong"), LoginStatus::ok);
  EXPECT_THAT(stored_hash(weak.id), HasSubstr("m=64,t=1"));
  EXPECT_EQ(stored_hash(strong.id), strong_hash);
}

TEST_P(Login, NoTransactionIsOpenWhileAPasswordIsHashed) {
  create_with("ada", kBcrypt);
  int inside = 0;
  // A transaction inside of another one on the same thread is refused by the library.
  on_hash_ = [&] { db().write([&](Write& tx) { inside += accounts::count_users(tx) == 1 ? 1 : 0; }); };
  EXPECT_EQ(status("ada"), LoginStatus::ok);
  EXPECT_EQ(inside, 2) << "to check, and to hash anew";
}

TEST_P(Login, APasswordThatIsChangedMeanwhileLetsNobodyIn) {
  const auto ada = create_with_password("ada");
  const auto other = PasswordHasher({.cost = {64, 1}}).hash(Secret("another horse"));
  on_hash_ = [&] { db().write([&](Write& tx) { accounts::set_password(tx, ada.id, other); }); };
  EXPECT_EQ(status("ada"), LoginStatus::wrong);
  on_hash_ = {};
  EXPECT_EQ(status("ada", "another horse"), LoginStatus::ok);
  on_hash_ = [&] { db().write([&](Write& tx) { accounts::deactivate_user(tx, ada.id); }); };
  EXPECT_EQ(status("ada", "another horse"), LoginStatus::inactive);
}

TEST_P(Login, ByGoogle) {
  const auto ada = create({.username = "ada", .email = "ada@example.org", .google_id = "1001"});
  const auto google = [&](const char* id) {
    return db().write([&](Write& tx) { return accounts::login_with_google(tx, id); });
  };
  const auto result = google("1001");
  ASSERT_EQ(result.status, LoginStatus::ok);
  EXPECT_EQ(accounts::authenticate(db(), result.opened->token.reveal())->user.id, ada.id);
  EXPECT_EQ(google("1002").status, LoginStatus::wrong);
  db().write([&](Write& tx) { accounts::deactivate_user(tx, ada.id); });
  EXPECT_EQ(google("1001").status, LoginStatus::inactive);
}

TEST_P(Login, RulesHaveBounds) {
  for (const accounts::LoginRules& rules :
       {accounts::LoginRules{.failures_max = 0}, accounts::LoginRules{.window = std::chrono::seconds(0)}})
    refusal(ErrorCode::invalid, [&] { accounts::login(db(), hasher_, {.name = "ada"}, rules); });
}

}  // namespace
}  // namespace quarry::test
