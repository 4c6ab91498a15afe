#include "quarry/accounts/sessions.hpp"

#include <set>

#include "conformance/accounts/accounts_test.hpp"

namespace quarry::test {
namespace {

using accounts::OpenedSession;
using accounts::SessionRules;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class Sessions : public AccountsTest {
 protected:
  void SetUp() override { ada_ = create("ada"); }
  OpenedSession open(const accounts::User& user, const SessionRules& rules = {}, const accounts::Origin& origin = {}) {
    return db().write([&](Write& tx) { return accounts::open_session(tx, user.id, rules, origin); });
  }
  OpenedSession open(const SessionRules& rules = {}) { return open(ada_, rules); }
  auto authenticate(const OpenedSession& opened) { return accounts::authenticate(db(), opened.token.reveal()); }
  std::vector<accounts::SessionId> list(std::optional<UserId> user = {}, bool live_only = false) {
    std::vector<accounts::SessionId> ids;
    for (const auto& session : db().read([&](Read& tx) { return accounts::list_sessions(tx, user, live_only); }).rows)
      ids.push_back(session.id);
    return ids;
  }

  accounts::User ada_;
};
QUARRY_BOTH_ENGINES(Sessions);

TEST_P(Sessions, TheTokenIsShownOnceAndOnlyItsHashIsStored) {
  std::set<std::string> tokens;
  for (int i = 0; i < 20; ++i) {
    const auto opened = open();
    const std::string token(opened.token.reveal());
    EXPECT_THAT(token, MatchesRegex("qrys_[0-9A-Za-z]{43}"));
    tokens.insert(token);
    const auto text = is_sqlite() ? std::string("select count(*) from user_sessions where instr(token_hash, $1) > 0")
                                  : std::string("select count(*) from user_sessions where strpos(token_hash, $1) > 0");
    const sql::Query<std::int64_t(std::string)> find("test.find_token", text);
    EXPECT_EQ(db().read([&](Read& tx) { return tx.value(find, token.substr(5)); }), 0);
  }
  EXPECT_EQ(tokens.size(), 20U);
}

TEST_P(Sessions, ATokenSpeaksForItsUser) {
  const auto opened = open();
  const auto who = authenticate(opened);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user.id, ada_.id);
  EXPECT_EQ(who->session.id, opened.session.id);
  EXPECT_EQ(who->actor, Actor::user(ada_.id));
  const auto root = create("root", accounts::Role::admin);
  EXPECT_EQ(authenticate(open(root))->actor, Actor::admin(root.id));
  const auto mod = create("mod", accounts::Role::moderator);
  EXPECT_EQ(authenticate(open(mod))->actor, Actor::user(mod.id));
}

TEST_P(Sessions, OtherTextIsNobodys) {
  const std::string token(open().token.reveal());
  for (const std::string& other : {std::string(), std::string("qrys_"), token + "0", token.substr(0, 47), token.substr(5),
                                   std::string("qrys_") + std::string(43, '0'), std::string(1 << 20, 'x')})
    EXPECT_FALSE(accounts::authenticate(db(), other));
}

TEST_P(Sessions, EndAbsolutelyAndWhenNobodyUsesThem) {
  const auto unused = open({.idle = hours(1), .absolute = hours(3)});
  const auto used = open({.idle = hours(1), .absolute = hours(3)});
  for (int i = 0; i < 3; ++i) {
    clock().advance(minutes(59));
    EXPECT_TRUE(authenticate(used)) << i;
  }
  EXPECT_FALSE(authenticate(unused)) << "idle";
  EXPECT_EQ(authenticate(used)->session.idle_expires_at, used.session.expires_at) << "no longer than the absolute end";
  clock().advance(minutes(3) - std::chrono::microseconds(1));
  EXPECT_TRUE(authenticate(used));
  clock().advance(std::chrono::microseconds(1));
  EXPECT_FALSE(authenticate(used)) << "absolute";
}

TEST_P(Sessions, IdleTimeIsKeptThroughUse) {
  const auto opened = open({.idle = hours(1), .absolute = hours(24)});
  for (int i = 0; i < 5; ++i) {
    clock().advance(minutes(50));
    EXPECT_EQ(authenticate(opened)->session.idle_expires_at, db().now() + hours(1));
  }
  clock().advance(hours(1));
  EXPECT_FALSE(authenticate(opened));
}

TEST_P(Sessions, UseIsWrittenAtMostOnceAMinute) {
  const auto opened = open();
  const auto writes = [&] { return db().stats().writes; };
  const auto before = writes();
  for (int i = 0; i < 59; ++i) {
    clock().advance(seconds(1));
    ASSERT_TRUE(authenticate(opened));
  }
  EXPECT_EQ(writes(), before);
  clock().advance(seconds(1));
  EXPECT_EQ(authenticate(opened)->session.last_seen_at, db().now());
  EXPECT_EQ(writes(), before + 1);
  authenticate(opened);
  EXPECT_EQ(writes(), before + 1);
}

TEST_P(Sessions, RevokedIsRevokedAtOnce) {
  const auto one = open(), two = open(), three = open();
  const auto revoke = [&](const OpenedSession& opened) {
    return db().write([&](Write& tx) { return accounts::revoke_session(tx, opened.session.id); });
  };
  EXPECT_TRUE(revoke(one));
  EXPECT_FALSE(revoke(one));
  EXPECT_FALSE(authenticate(one));
  EXPECT_EQ(db().write([&](Write& tx) { return accounts::revoke_sessions(tx, ada_.id, two.session.id); }), 1);
  EXPECT_TRUE(authenticate(two));
  EXPECT_FALSE(authenticate(three));
  EXPECT_EQ(db().write([&](Write& tx) { return accounts::revoke_sessions(tx, ada_.id); }), 1);
  EXPECT_FALSE(authenticate(two));
  refusal(ErrorCode::not_found, [&] { db().write([](Write& tx) { accounts::revoke_session(tx, {}); }); });
  refusal(ErrorCode::not_found, [&] { db().write([](Write& tx) { accounts::revoke_sessions(tx, {}); }); });
}

TEST_P(Sessions, WhatMakesAUserSomebodyElseEndsTheirSessions) {
  const std::vector<std::pair<const char*, std::function<void(Write&)>>> changes{
      {"password", [&](Write& tx) { accounts::set_password(tx, ada_.id, "!"); }},
      {"role", [&](Write& tx) { accounts::set_role(tx, ada_.id, accounts::Role::admin); }},
      {"deactivated and back",
       [&](Write& tx) {
         accounts::deactivate_user(tx, ada_.id);
         accounts::activate_user(tx, ada_.id);
       }},
      {"deleted and back",
       [&](Write& tx) {
         accounts::delete_user(tx, ada_.id);
         accounts::undelete_user(tx, ada_.id);
       }},
  };
  for (const auto& [what, change] : changes) {
    const auto opened = open();
    EXPECT_TRUE(authenticate(opened));
    db().write([&](Write& tx) { change(tx); });
    EXPECT_FALSE(authenticate(opened)) << what;
  }
}

TEST_P(Sessions, NobodyOpensOneForWhoIsInactive) {
  db().write([&](Write& tx) { accounts::deactivate_user(tx, ada_.id); });
  refusal(ErrorCode::not_found, [&] { open(); });
}

TEST_P(Sessions, ListsShowWhereTheyComeFrom) {
  const auto opened =
      open(ada_, {}, {.ip_address = "2001:DB8:0::1", .user_agent = std::string("Lynx\x1b[31m/2.9") + std::string(600, 'x')});
  EXPECT_EQ(opened.session.ip_address, "2001:db8::1");
  EXPECT_THAT(*opened.session.user_agent, HasSubstr("Lynx?[31m/2.9"));
  EXPECT_EQ(opened.session.user_agent->size(), 500U);
  EXPECT_EQ(open(ada_, {}, {.ip_address = "192.0.2.1"}).session.ip_address, "192.0.2.1");
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { open(ada_, {}, {.ip_address = "example.org"}); }), HasSubstr("IPv4"));
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { open({.idle = seconds(59)}); }), HasSubstr("idle"));
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { open({.absolute = hours(24 * 401)}); }), HasSubstr("absolute"));
}

TEST_P(Sessions, ListAndPurge) {
  const auto bob = create("bob");
  const auto old = open({.idle = hours(1), .absolute = hours(1)});
  clock().advance(minutes(1));
  const auto revoked = open();
  clock().advance(minutes(1));
  const auto bobs = open(bob);
  db().write([&](Write& tx) { accounts::revoke_session(tx, revoked.session.id); });
  EXPECT_THAT(list(), ElementsAre(bobs.session.id, revoked.session.id, old.session.id));
  EXPECT_THAT(list(ada_.id), ElementsAre(revoked.session.id, old.session.id));
  EXPECT_THAT(list(ada_.id, true), ElementsAre(old.session.id));
  clock().advance(hours(1));
  EXPECT_THAT(list({}, true), ElementsAre(bobs.session.id));
  const auto purge = [&](int limit) {
    return db().write([&](Write& tx) { return accounts::purge_sessions(tx, tx.now(), limit); });
  };
  EXPECT_EQ(purge(1000), 1);
  clock().advance(hours(24 * 31));
  EXPECT_EQ(purge(1), 1);
  EXPECT_EQ(purge(1), 1);
  EXPECT_EQ(purge(1), 0);
  EXPECT_THAT(list(), ElementsAre());
}

TEST_P(Sessions, EachSeesAndEndsTheirOwn) {
  const auto bob = create("bob");
  const auto adas = open(), bobs = open(bob);
  as(ada_, [&](Write& tx) {
    EXPECT_EQ(accounts::list_sessions(tx).rows.size(), 1U);
    EXPECT_TRUE(accounts::list_sessions(tx, bob.id).rows.empty());
    refusal(ErrorCode::not_found, [&] { accounts::revoke_session(tx, bobs.session.id); });
    refusal(ErrorCode::not_found, [&] { accounts::revoke_sessions(tx, bob.id); });
    refusal(ErrorCode::not_found, [&] { accounts::open_session(tx, bob.id); });
    refusal(ErrorCode::denied, [&] { accounts::purge_sessions(tx, tx.now()); });
    EXPECT_FALSE(accounts::find_session(tx, bobs.token.reveal()));
    EXPECT_TRUE(accounts::revoke_session(tx, adas.session.id));
  });
  EXPECT_TRUE(authenticate(bobs));
  const auto root = create("root", accounts::Role::admin);
  as(Actor::admin(root.id), [&](Write& tx) { EXPECT_TRUE(accounts::revoke_session(tx, bobs.session.id)); });
}

}  // namespace
}  // namespace quarry::test
