#include <atomic>
#include <thread>

#include "conformance/accounts/accounts_test.hpp"
#include "quarry/accounts/api_keys.hpp"

namespace quarry::test {
namespace {

using accounts::ApiKey;
using accounts::CreatedApiKey;
using accounts::Peppers;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Keys : public AccountsTest {
 protected:
  void SetUp() override { ada_ = create("ada"); }
  CreatedApiKey make(accounts::NewApiKey key = {}) {
    if (key.user_id.is_nil()) key.user_id = ada_.id;
    if (key.name.empty()) key.name = "CI";
    return db().write([&](Write& tx) { return accounts::create_key(tx, peppers_, key); });
  }
  CreatedApiKey rotate(const ApiKey& key, seconds grace = hours(24)) {
    return db().write([&](Write& tx) { return accounts::rotate_key(tx, peppers_, key.id, grace); });
  }
  bool revoke(const ApiKey& key) {
    return db().write([&](Write& tx) { return accounts::revoke_key(tx, key.id); });
  }
  auto authenticate(std::string_view text) { return accounts::authenticate_key(db(), peppers_, text); }
  auto authenticate(const CreatedApiKey& key) { return authenticate(key.text.reveal()); }
  std::vector<std::string> names(std::optional<UserId> user = {}, bool live_only = false) {
    std::vector<std::string> names;
    for (const auto& key : db().read([&](Read& tx) { return accounts::list_keys(tx, user, live_only); }).rows)
      names.push_back(key.key_name);
    return names;
  }

  Peppers peppers_{Secret("a pepper of at least 32 characters")};
  accounts::User ada_;
};
QUARRY_BOTH_ENGINES(Keys);

TEST_P(Keys, AKeySpeaksForItsUserWithItsScopes) {
  const auto made = make({.name = "CI", .scopes = {"jobs:read", "artifacts:*"}});
  const auto who = authenticate(made);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user.id, ada_.id);
  EXPECT_EQ(who->actor, Actor::user(ada_.id));
  EXPECT_EQ(who->key.permissions, (std::vector<std::string>{"jobs:read", "artifacts:*"}));
  EXPECT_TRUE(has_scope(who->key, "jobs:read"));
  EXPECT_FALSE(has_scope(who->key, "jobs:write"));
  EXPECT_EQ(made.key.key_prefix, std::string(made.text.reveal().substr(0, 10)));
  EXPECT_FALSE(made.key.expires_at);
}

TEST_P(Keys, AnAdminsKeyIsAnAdminsOnlyByItsScope) {
  const auto root = create("root", accounts::Role::admin);
  EXPECT_EQ(authenticate(make({.user_id = root.id, .scopes = {"jobs:read"}}))->actor, Actor::user(root.id));
  EXPECT_EQ(authenticate(make({.user_id = root.id, .scopes = {"admin"}}))->actor, Actor::admin(root.id));
  EXPECT_EQ(authenticate(make({.user_id = root.id, .scopes = {"*"}}))->actor, Actor::admin(root.id));
  EXPECT_EQ(authenticate(make({.scopes = {"admin"}}))->actor, Actor::user(ada_.id)) << "no user becomes an admin by it";
}

TEST_P(Keys, ALesserKeyOfAnAdminMakesNoGreaterOne) {
  const auto root = create("root", accounts::Role::admin);
  const auto full = make({.user_id = root.id, .scopes = {"*"}});
  as(root, [&](Write& tx) {
    const auto with = [&](const char* scope) {
      accounts::create_key(tx, peppers_, {.user_id = root.id, .name = "x", .scopes = {scope}});
    };
    refusal(ErrorCode::denied, [&] { with("admin"); });
    refusal(ErrorCode::denied, [&] { with("*"); });
    refusal(ErrorCode::denied, [&] { accounts::rotate_key(tx, peppers_, full.key.id); });
    with("jobs:*");
  });
  as(Actor::admin(root.id),
     [&](Write& tx) { accounts::create_key(tx, peppers_, {.user_id = root.id, .name = "x", .scopes = {"admin"}}); });
  as(ada_, [&](Write& tx) { accounts::create_key(tx, peppers_, {.user_id = ada_.id, .name = "x", .scopes = {"*"}}); });
}

TEST_P(Keys, TheSecretIsNotStored) {
  const auto made = make();
  const std::string secret(made.text.reveal().substr(21, 43));
  const auto text = std::string("select key_name || key_id || key_hash || key_prefix from api_keys");
  const auto row = db().read([&](Read& tx) { return tx.value(sql::Query<std::string()>("test.row", text)); });
  EXPECT_THAT(row, testing::Not(HasSubstr(secret)));
  EXPECT_THAT(row, testing::Not(HasSubstr(secret.substr(0, 20))));
}

TEST_P(Keys, AnotherPepperMakesThemUseless) {
  const auto made = make();
  EXPECT_FALSE(accounts::authenticate_key(db(), Peppers(), made.text.reveal()));
  EXPECT_FALSE(accounts::authenticate_key(db(), Peppers(Secret(std::string(32, 'x'))), made.text.reveal()));
  std::vector<Secret> previous;
  previous.emplace_back("a pepper of at least 32 characters");
  const Peppers newer(Secret(std::string(32, 'x')), std::move(previous));
  EXPECT_TRUE(accounts::authenticate_key(db(), newer, made.text.reveal()));
}

TEST_P(Keys, MalformedOnesAreRefusedWithoutTheDatabase) {
  const auto made = make();
  auto typo = std::string(made.text.reveal());
  typo[30] = typo[30] == 'a' ? 'b' : 'a';
  const auto before = db().stats().reads;
  EXPECT_FALSE(authenticate(typo));
  EXPECT_FALSE(authenticate(""));
  EXPECT_FALSE(authenticate(std::string(1 << 20, 'q')));
  EXPECT_EQ(db().stats().reads, before);
}

// SX-14
TEST_P(Keys, TwoWithOnePrefixBothWork) {
  const auto first = make({.name = "first", .scopes = {"a"}}), second = make({.name = "second", .scopes = {"b"}});
  static constexpr sql::Command<void()> same{"test.same_prefix", "update api_keys set key_prefix = 'qry_same00'"};
  db().write([](Write& tx) { tx.run(same); });
  EXPECT_EQ(authenticate(first)->key.key_name, "first");
  EXPECT_EQ(authenticate(second)->key.key_name, "second");
  EXPECT_TRUE(has_scope(authenticate(second)->key, "b"));
  EXPECT_FALSE(has_scope(authenticate(second)->key, "a"));
}

TEST_P(Keys, UnknownExpiredRevokedAndInactiveAreTheSame) {
  const auto expiring = make({.expires_at = db().now() + hours(1)});
  const auto revoked = make(), other = make();
  EXPECT_TRUE(authenticate(expiring));
  EXPECT_TRUE(revoke(revoked.key));
  EXPECT_FALSE(revoke(revoked.key));
  EXPECT_FALSE(authenticate(revoked));
  clock().advance(hours(1));
  EXPECT_FALSE(authenticate(expiring));
  SeededRandom random(4711);
  const auto stranger = accounts::make_key_text(random);
  EXPECT_FALSE(authenticate(stranger.reveal()));
  db().write([&](Write& tx) { accounts::deactivate_user(tx, ada_.id); });
  EXPECT_FALSE(authenticate(other));
  db().write([&](Write& tx) { accounts::activate_user(tx, ada_.id); });
  EXPECT_TRUE(authenticate(other));
  db().write([&](Write& tx) { accounts::delete_user(tx, ada_.id); });
  EXPECT_FALSE(authenticate(other));
}

TEST_P(Keys, UseIsWrittenAtMostOnceAMinute) {
  const auto made = make();
  EXPECT_FALSE(made.key.last_used_at);
  EXPECT_EQ(authenticate(made)->key.last_used_at, db().now());
  const auto before = db().stats().writes;
  for (int i = 0; i < 59; ++i) {
    clock().advance(seconds(1));
    ASSERT_TRUE(authenticate(made));
  }
  EXPECT_EQ(db().stats().writes, before);
  clock().advance(seconds(1));
  EXPECT_EQ(authenticate(made)->key.last_used_at, db().now());
  EXPECT_EQ(db().stats().writes, before + 1);
}

TEST_P(Keys, RotationHasTwoLiveKeysAndNeverThree) {
  const auto first = make({.name = "CI", .scopes = {"jobs:read"}});
  clock().advance(hours(1));
  const auto second = rotate(first.key, hours(2));
  EXPECT_EQ(second.key.key_name, "CI");
  EXPECT_EQ(second.key.permissions, first.key.permissions);
  EXPECT_NE(second.key.key_id, first.key.key_id);
  EXPECT_TRUE(authenticate(first));
  EXPECT_TRUE(authenticate(second));
  const auto replaced = db().read([&](Read& tx) { return accounts::find_key(tx, first.key.id); });
  EXPECT_EQ(replaced->replaced_by, second.key.id);
  EXPECT_EQ(replaced->expires_at, db().now() + hours(2));
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { rotate(first.key); }), HasSubstr("rotated already"));
  const auto third = rotate(second.key, hours(2));
  EXPECT_FALSE(authenticate(first)) << "the third one ends it early";
  EXPECT_TRUE(authenticate(second));
  EXPECT_TRUE(authenticate(third));
  clock().advance(hours(2));
  EXPECT_FALSE(authenticate(second));
  EXPECT_TRUE(authenticate(third));
}

TEST_P(Keys, RotationKeepsToTheEndsOfKeys) {
  const auto first = make({.expires_at = db().now() + hours(10)});
  clock().advance(hours(9));
  const auto second = rotate(first.key);
  EXPECT_EQ(second.key.expires_at, db().now() + hours(10)) << "as long as the first was made for";
  EXPECT_EQ(db().read([&](Read& tx) { return accounts::find_key(tx, first.key.id); })->expires_at, first.key.expires_at);
  const auto at_once = rotate(second.key, seconds(0));
  EXPECT_FALSE(authenticate(second));
  EXPECT_TRUE(authenticate(at_once));
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { rotate(first.key); }), HasSubstr("not live"));
  revoke(at_once.key);
  refusal(ErrorCode::conflict, [&] { rotate(at_once.key); });
  refusal(ErrorCode::invalid, [&] { rotate(at_once.key, hours(24 * 91)); });
  refusal(ErrorCode::not_found, [&] { rotate({}); });
}

TEST_P(Keys, AUserHasAtMostTwentyLiveOnes) {
  std::vector<CreatedApiKey> keys;
  for (int i = 0; i < accounts::live_keys_max; ++i) keys.push_back(make());
  EXPECT_THAT(refusal(ErrorCode::conflict, [&] { make(); }), HasSubstr("20 live"));
  rotate(keys[0].key);
  revoke(keys[1].key);
  make({.expires_at = db().now() + hours(1)});
  refusal(ErrorCode::conflict, [&] { make(); });
  clock().advance(hours(1));
  make();
  make({.user_id = create("bob").id});
}

TEST_P(Keys, TheBoundHoldsForManyAtOnce) {
  std::atomic<int> made = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 8; ++j) try {
          make();
          ++made;
        } catch (const Error& error) {
          if (error.code() == ErrorCode::conflict) ++refused;
        }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 20);
  EXPECT_EQ(refused, 12);
}

TEST_P(Keys, InputIsChecked) {
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { make({.name = std::string(101, 'a')}); }), HasSubstr("100"));
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { make({.expires_at = db().now()}); }), HasSubstr("expired"));
  for (const char* scope : {"", "Jobs", "a b", "jobs*", "*:read", "jobs:*:x", "**"})
    EXPECT_THAT(refusal(ErrorCode::invalid, [&] { make({.scopes = {scope}}); }), HasSubstr("scope")) << scope;
  refusal(ErrorCode::invalid, [&] { make({.scopes = std::vector<std::string>(33, "a")}); });
  refusal(ErrorCode::invalid, [&] { make({.scopes = {std::string(65, 'a')}}); });
  EXPECT_THAT(
      refusal(ErrorCode::not_found, [&] { make({.user_id = UserId{parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057")}}); }),
      HasSubstr("no user 0189"));
}

TEST_P(Keys, Lists) {
  const auto a = make({.name = "a"});
  clock().advance(seconds(1));
  make({.name = "b", .expires_at = db().now() + hours(1)});
  clock().advance(seconds(1));
  make({.user_id = create("bob").id, .name = "bobs"});
  revoke(a.key);
  EXPECT_THAT(names(), ElementsAre("bobs", "b", "a"));
  EXPECT_THAT(names(ada_.id), ElementsAre("b", "a"));
  EXPECT_THAT(names(ada_.id, true), ElementsAre("b"));
  clock().advance(hours(1));
  EXPECT_THAT(names({}, true), ElementsAre("bobs"));
  EXPECT_EQ(db().read([&](Read& tx) { return accounts::find_key(tx, a.key.key_id); })->id, a.key.id);
  EXPECT_THAT(a.key.key_prefix, StartsWith("qry_"));
}

TEST_P(Keys, EachSeesAndChangesTheirOwn) {
  const auto bob = create("bob");
  const auto adas = make(), bobs = make({.user_id = bob.id});
  as(ada_, [&](Write& tx) {
    EXPECT_EQ(accounts::list_keys(tx).rows.size(), 1U);
    EXPECT_FALSE(accounts::find_key(tx, bobs.key.id));
    EXPECT_FALSE(accounts::find_key(tx, bobs.key.key_id));
    EXPECT_FALSE(accounts::find_key_holder(tx, peppers_, bobs.text.reveal()));
    refusal(ErrorCode::not_found, [&] { accounts::revoke_key(tx, bobs.key.id); });
    refusal(ErrorCode::not_found, [&] { accounts::rotate_key(tx, peppers_, bobs.key.id); });
    refusal(ErrorCode::not_found, [&] { accounts::create_key(tx, peppers_, {.user_id = bob.id, .name = "x"}); });
    accounts::create_key(tx, peppers_, {.user_id = ada_.id, .name = "mine"});
    EXPECT_NE(accounts::rotate_key(tx, peppers_, adas.key.id).key.id, adas.key.id);
  });
  EXPECT_TRUE(authenticate(bobs));
  const auto root = create("root", accounts::Role::admin);
  as(Actor::admin(root.id), [&](Write& tx) { EXPECT_TRUE(accounts::revoke_key(tx, bobs.key.id)); });
}

}  // namespace
}  // namespace quarry::test
