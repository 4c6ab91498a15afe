#include "quarry/cache/entries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class CacheEntries : public MigratedEngines {
 protected:
  std::optional<std::string> get(std::string_view key) {
    return db().read([&](Read& tx) {
      const auto found = cache::get(tx, key);
      return found ? std::optional(found->value) : std::nullopt;
    });
  }
  void set(std::string_view key, std::string_view value, const cache::Ttl& ttl = {}) {
    db().write([&](Write& tx) { cache::set(tx, key, value, ttl); });
  }
  bool set_if_absent(std::string_view key, std::string_view value, const cache::Ttl& ttl = {}) {
    return db().write([&](Write& tx) { return cache::set_if_absent(tx, key, value, ttl); });
  }
  std::vector<std::string> keys(std::string_view prefix = {}) {
    std::vector<std::string> all;
    for (const auto& entry : db().read([&](Read& tx) { return cache::list(tx, prefix).rows; })) all.push_back(entry.id);
    return all;
  }
};
QUARRY_BOTH_ENGINES(CacheEntries);

TEST_P(CacheEntries, ComeBackUntilTheirTimeIsOver) {
  EXPECT_EQ(get("a"), std::nullopt);
  set("a", "1", 1s);
  set("b", "");
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "");
  clock().advance(1s - 1us);
  EXPECT_EQ(get("a"), "1");
  clock().advance(1us);
  EXPECT_EQ(get("a"), std::nullopt) << "absent, though the row is there";
  EXPECT_EQ(get("b"), "");
  set("a", "2");
  clock().advance(24h * 365);
  EXPECT_EQ(get("a"), "2") << "set anew without an end";
}

TEST_P(CacheEntries, SetIfAbsentTakesTheExpiredForAbsent) {
  EXPECT_TRUE(set_if_absent("a", "1", 1s));
  EXPECT_FALSE(set_if_absent("a", "2", 1s));
  EXPECT_EQ(get("a"), "1");
  clock().advance(1s);
  EXPECT_TRUE(set_if_absent("a", "3"));
  EXPECT_FALSE(set_if_absent("a", "4"));
  EXPECT_EQ(get("a"), "3");
}

TEST_P(CacheEntries, AreRemovedByKeyAndByPrefix) {
  for (const auto* key : {"user:1", "user:10", "user:2", "user;", "usea", "User:1", "user:\xC3\xBC", "use%"}) set(key, "x");
  const auto remove = [&](std::string_view key) { return db().write([&](Write& tx) { return cache::remove(tx, key); }); };
  EXPECT_TRUE(remove("user:2"));
  EXPECT_FALSE(remove("user:2"));
  const auto remove_prefix = [&](std::string_view prefix, int limit) {
    return db().write([&](Write& tx) { return cache::remove_prefix(tx, prefix, limit); });
  };
  EXPECT_EQ(remove_prefix("user:", 2), 2);
  EXPECT_EQ(remove_prefix("user:", 2), 1);
  EXPECT_EQ(remove_prefix("use%", 10), 1) << "no pattern, a prefix";
  EXPECT_THAT(keys(), ElementsAre("User:1", "usea", "user;"));
  EXPECT_EQ(code_of([&] { remove_prefix("", 10); }), ErrorCode::invalid);
}

TEST_P(CacheEntries, PrefixesReachEveryKeyThatGoesOn) {
  const std::string last = "\xF4\x8F\xBF\xBF";  // the last code point
  for (const auto& key : {std::string("Quarry.x"), "p" + last + last + "z", "p" + last, std::string("q")}) set(key, "x");
  EXPECT_THAT(keys("p"), ElementsAre("p" + last, "p" + last + last + "z"));
  EXPECT_THAT(keys("Q"), ElementsAre("Quarry.x")) << "only 'quarry.' is the cache's own";
  const auto remove_prefix = [&](std::string_view prefix) {
    return db().write([&](Write& tx) { return cache::remove_prefix(tx, prefix); });
  };
  EXPECT_EQ(remove_prefix("p"), 2);
  EXPECT_EQ(remove_prefix("Quarry."), 1);
  EXPECT_THAT(keys(), ElementsAre("q"));
}

TEST_P(CacheEntries, ArePurgedAndEvicted) {
  for (int i = 0; i < 5; ++i) {
    clock().advance(1s);
    set("k" + std::to_string(i), std::string(98, 'x'), i < 2 ? cache::Ttl(10s) : cache::Ttl());
  }
  const auto purge = [&](int limit) { return db().write([&](Write& tx) { return cache::purge_expired(tx, limit); }); };
  EXPECT_EQ(purge(10), 0);
  clock().advance(20s);
  EXPECT_EQ(purge(1), 1);
  EXPECT_EQ(purge(10), 1);
  EXPECT_THAT(keys(), ElementsAre("k2", "k3", "k4"));

  const std::vector<cache::Hits> hits{{"k2", 7, clock().now()}, {"gone", 1, clock().now()}};
  db().write([&](Write& tx) { cache::add_hits(tx, hits); });
  const auto evict = [&](std::int64_t bytes) { return db().write([&](Write& tx) { return cache::evict(tx, bytes); }); };
  EXPECT_EQ(evict(300), 0) << "three of a hundred bytes fit";
  EXPECT_EQ(evict(299), 1);
  EXPECT_THAT(keys(), ElementsAre("k2", "k4")) << "k3 was used longest ago";
  const auto figures = db().read([](Read& tx) { return cache::table_statistics(tx); });
  EXPECT_EQ(figures.entries, 2);
  EXPECT_EQ(figures.bytes, 200);
  EXPECT_EQ(figures.hits, 0) << "the sums are written apart";
  db().write([&](Write& tx) { cache::add_asked(tx, 8, 2); });
  db().write([&](Write& tx) { cache::add_asked(tx, 1, 0); });
  EXPECT_EQ(evict(0), 2);
  const auto after = db().read([](Read& tx) { return cache::table_statistics(tx); });
  EXPECT_EQ(after.entries, 0);
  EXPECT_EQ(after.hits, 9) << "which eviction leaves alone";
  EXPECT_EQ(after.misses, 2);
  EXPECT_EQ(get("quarry.hits"), std::nullopt) << "the cache's own are nobody's values";
  EXPECT_EQ(purge(10), 0);
}

TEST_P(CacheEntries, ArePagedByKey) {
  for (int i = 0; i < 7; ++i) set("p:" + std::to_string(i), "x");
  set("q", "x", 1s);
  clock().advance(1s);
  std::vector<std::string> seen;
  PageRequest request{.limit = 3};
  for (;;) {
    const auto page = db().read([&](Read& tx) { return cache::list(tx, {}, request); });
    for (const auto& entry : page.rows) seen.push_back(entry.id);
    if (!page.next) break;
    request.after = *page.next;
  }
  EXPECT_THAT(seen, ElementsAre("p:0", "p:1", "p:2", "p:3", "p:4", "p:5", "p:6"));
  EXPECT_THAT(keys("p:3"), ElementsAre("p:3"));
}

TEST_P(CacheEntries, AreNobodysOwn) {
  set("k", "x");
  const UserId user{parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057")};
  const auto as_user = [&](auto body) {
    return code_of([&] { db().write({.actor = Actor::user(user)}, [&](Write& tx) { body(tx); }); });
  };
  EXPECT_EQ(as_user([](Write& tx) { cache::get(tx, "k"); }), ErrorCode::denied);
  EXPECT_EQ(as_user([](Write& tx) { cache::set(tx, "k", "y", {}); }), ErrorCode::denied);
  EXPECT_EQ(as_user([](Write& tx) { cache::set_if_absent(tx, "l", "y", {}); }), ErrorCode::denied);
  EXPECT_EQ(as_user([](Write& tx) { cache::remove(tx, "k"); }), ErrorCode::denied);
  EXPECT_EQ(as_user([](Write& tx) { cache::remove_prefix(tx, "k"); }), ErrorCode::denied);
  EXPECT_EQ(as_user([](Write& tx) { cache::list(tx); }), ErrorCode::denied);
  EXPECT_EQ(as_user([](Write& tx) { cache::evict(tx, 0); }), ErrorCode::denied);
  EXPECT_THAT(keys(), ElementsAre("k"));
  EXPECT_EQ(db().read({.actor = Actor::admin(user)}, [](Read& tx) { return cache::get(tx, "k"); })->value, "x");
}

TEST_P(CacheEntries, BadInputIsNamed) {
  EXPECT_EQ(code_of([&] { set("", "x"); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set(std::string(256, 'k'), "x"); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set("quarry.mine", "x"); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set("k", std::string("a\0b", 3)); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set("k", "\xff"); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set("k", "x", 0us); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set("k", std::string((16 << 20) + 1, 'x')); }), ErrorCode::invalid);
  EXPECT_TRUE(keys().empty());
}

}  // namespace
}  // namespace quarry::test
