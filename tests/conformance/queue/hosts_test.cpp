/// Politeness: delays, limits in flight, blocks and backoff of hosts, and that they take turns.

#include <set>

#include "conformance/queue/queue_test.hpp"
#include "quarry/sql/backend.hpp"
#include "support/error_of.hpp"

namespace quarry::test {
namespace {

class QueueHosts : public QueueTest {
 protected:
  void refuse(std::int64_t id, Instant started_at, std::optional<std::chrono::milliseconds> retry_after = {}) {
    db().write([&](Write& tx) { host_refused(tx, id, started_at, retry_after); });
  }
};
QUARRY_BOTH_ENGINES(QueueHosts);

TEST_P(QueueHosts, ADelayLiesBetweenTwoStarts) {
  set_host("a.example", {.delay_ms = 1'000});
  const auto ids = put_many(3, {.host_key = "a.example"});
  EXPECT_EQ(ids_of(take()), std::vector{ids[0]});
  EXPECT_EQ(host("a.example").next_at, now() + 1s);
  EXPECT_TRUE(take().empty());
  clock().advance(1s - 1us);
  EXPECT_TRUE(take().empty());
  clock().advance(1us);
  EXPECT_EQ(ids_of(take()), std::vector{ids[1]}) << "the first still runs: the limit in flight is another matter";
}

TEST_P(QueueHosts, NoMoreInFlightThanTheLimit) {
  set_host("a.example", {.max_in_flight = 2});
  const auto ids = put_many(5, {.host_key = "a.example"});
  const auto free = put();
  const auto first = take();
  EXPECT_EQ(ids_of(first), (std::vector{ids[0], ids[1], free}));
  EXPECT_EQ(host("a.example").in_flight, 2);
  EXPECT_TRUE(take().empty());
  end(first[0]);
  EXPECT_EQ(ids_of(take()), std::vector{ids[2]});
  give_back(first[1]);
  EXPECT_EQ(ids_of(take()), std::vector{ids[1]}) << "given back, it keeps its place";
}

TEST_P(QueueHosts, ASlotOfADeadWorkerComesBack) {
  set_host("a.example", {.max_in_flight = 1});
  put_many(2, {.host_key = "a.example"});
  take_one(10s);
  EXPECT_TRUE(take().empty());
  clock().advance(11s);
  EXPECT_EQ(take().size(), 1U);
  EXPECT_EQ(host("a.example").in_flight, 1);
}

TEST_P(QueueHosts, ABlockedHostIsLeftAlone) {
  const auto ids = put_many(2, {.host_key = "a.example"});
  const auto other = put({.host_key = "b.example"});
  const auto id = host("a.example").id;
  db().write([&](Write& tx) { block_host(tx, id, tx.now() + 1h); });
  const auto running = take();
  EXPECT_EQ(ids_of(running), std::vector{other});
  end_all(running);
  clock().advance(1h);
  EXPECT_EQ(ids_of(take(1)), std::vector{ids[0]});
  db().write([&](Write& tx) { block_host(tx, id, tx.now() + 1h); });
  EXPECT_TRUE(take().empty());
  db().write([&](Write& tx) { block_host(tx, id, {}); });
  EXPECT_EQ(ids_of(take()), std::vector{ids[1]}) << "a moment in the past ends a block";
}

TEST_P(QueueHosts, ABurstOfRefusalsCountsOnce) {
  put_many(3, {.host_key = "a.example"});
  const auto id = host("a.example").id;
  const auto started = now();
  take();
  clock().advance(1s);
  refuse(id, started);
  const auto first = host("a.example");
  EXPECT_EQ(first.backoff_count, 1);
  EXPECT_GE(first.blocked_until, now() + 1min);
  EXPECT_LE(first.blocked_until, now() + 2min);
  clock().advance(1s);
  refuse(id, started);
  refuse(id, started);
  EXPECT_EQ(host("a.example").backoff_count, 1) << "they were under way when the first was refused";
  EXPECT_EQ(host("a.example").blocked_until, first.blocked_until);
  clock().advance(1h);
  refuse(id, now());
  EXPECT_EQ(host("a.example").backoff_count, 2);
  EXPECT_GE(host("a.example").blocked_until, now() + 2min) << "it doubles";
  db().write([&](Write& tx) { host_answered(tx, id); });
  EXPECT_EQ(host("a.example").backoff_count, 0);
}

TEST_P(QueueHosts, RetryAfterIsHeededWithinBounds) {
  put({.host_key = "a.example"});
  const auto id = host("a.example").id;
  refuse(id, now(), 7s);
  EXPECT_EQ(host("a.example").blocked_until, now() + 7s);
  clock().advance(1min);
  refuse(id, now(), 0s);
  EXPECT_GT(host("a.example").blocked_until, now()) << "zero would switch the backoff off";
  clock().advance(1h);
  refuse(id, now(), 1000h);
  EXPECT_EQ(host("a.example").blocked_until, now() + 24h) << "nobody is left alone for longer than a day";
  clock().advance(48h);
  refuse(id, now(), -5s);
  EXPECT_GT(host("a.example").blocked_until, now());
}

TEST_P(QueueHosts, ARefusalNeverShortensABlock) {
  put({.host_key = "a.example"});
  const auto id = host("a.example").id;
  db().write([&](Write& tx) { block_host(tx, id, tx.now() + 100h); });
  const auto until = host("a.example").blocked_until;
  refuse(id, now(), 1s);
  EXPECT_EQ(host("a.example").blocked_until, until);
}

TEST_P(QueueHosts, PoliteHostsTakeTurns) {
  constexpr int hosts = 200;
  for (int h = 0; h < hosts; ++h) set_host("h" + std::to_string(h), {.delay_ms = 60'000});
  std::vector<NewTask> tasks;
  for (int h = 0; h < hosts; ++h)
    for (int i = 0; i < 3; ++i) tasks.push_back({.host_key = "h" + std::to_string(h)});
  put_all(tasks);
  for (int round = 0; round < 3; ++round) {
    std::multiset<std::int64_t> served;
    for (int i = 0; i < hosts / 10; ++i)
      for (const auto& one : take(10)) served.insert(*one.host_id);
    EXPECT_EQ(served.size(), 200U);
    EXPECT_EQ(std::set(served.begin(), served.end()).size(), 200U) << "each once in round " << round;
    EXPECT_TRUE(take(10).empty());
    clock().advance(1min);
  }
}

TEST_P(QueueHosts, ABigHostDoesNotStarveASmallOne) {
  set_host("big.example", {.max_in_flight = 4});
  put_many(500, {.host_key = "big.example"});
  const auto small = put({.priority = 9, .host_key = "small.example"});
  const auto tasks = take(10);
  ASSERT_EQ(tasks.size(), 5U);
  EXPECT_EQ(tasks.back().id, small);
}

TEST_P(QueueHosts, SettingsAreKeptApartAndChecked) {
  set_host("a.example", {.delay_ms = 500, .max_in_flight = 3});
  set_host("a.example", {.max_in_flight = 5});
  EXPECT_EQ(host("a.example").delay_ms, 500);
  EXPECT_EQ(host("a.example").max_in_flight, 5);
  EXPECT_THROW(set_host("a.example", {.delay_ms = -1}), Error);
  EXPECT_THROW(set_host("a.example", {.delay_ms = 86'400'001}), Error);
  EXPECT_THROW(set_host("a.example", {.max_in_flight = 0}), Error);
  EXPECT_THROW(set_host("", {}), Error);
  EXPECT_THROW(set_host(std::string(301, 'h'), {}), Error);
}

TEST_P(QueueHosts, ListsByKeyPageByPage) {
  for (const auto* key : {"c", "a", "b"}) set_host(key, {});
  const auto keys = [&](std::string_view after) {
    std::vector<std::string> found;
    for (const auto& one : db().read([&](Read& tx) { return list_hosts(tx, after, 2); })) found.push_back(one.host_key);
    return found;
  };
  EXPECT_EQ(keys(""), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(keys("b"), std::vector<std::string>{"c"});
  EXPECT_FALSE(db().read([](Read& tx) { return find_host(tx, "nobody"); }));
}

TEST_P(QueueHosts, AListGoesOnBehindAHostThatIsThere) {
  set_host("a.example", {});
  const auto list = [&](std::string_view after, int limit) { db().read([&](Read& tx) { list_hosts(tx, after, limit); }); };
  EXPECT_NO_THROW(list("a.example", 1));
  for (const auto* after : {"zzz", "A.example", "\xFF"})
    EXPECT_EQ(code_of([&] { list(after, 1); }), ErrorCode::invalid) << after;
  for (const int limit : {0, -1, 10'001}) EXPECT_EQ(code_of([&] { list("", limit); }), ErrorCode::invalid) << limit;
}

TEST_P(QueueHosts, TheirOrderIsThatOfBytesWhateverTheCollation) {
  if (is_postgres())
    db().backend().run_outside_transaction("test.collation",
                                           "alter table hosts alter column host_key type text collate \"und-x-icu\"");
  for (const auto* key : {"b", "a", "B", "a-b", "a.b"}) set_host(key, {});
  std::vector<std::string> keys;
  for (std::string after;;) {
    const auto page = db().read([&](Read& tx) { return list_hosts(tx, after, 2); });
    for (const auto& one : page) keys.push_back(one.host_key);
    if (page.size() < 2) break;
    after = page.back().host_key;
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"B", "a", "a-b", "a.b", "b"}));
}

TEST_P(QueueHosts, RobotsAreRemembered) {
  const auto id = set_host("a.example", {}).id;
  EXPECT_FALSE(db().read([&](Read& tx) { return find_robots(tx, id); }).robots_fetched_at);
  db().write([&](Write& tx) { store_robots(tx, id, {"User-agent: *\nDisallow:", tx.now(), 200}); });
  const auto robots = db().read([&](Read& tx) { return find_robots(tx, id); });
  EXPECT_EQ(robots.robots_status, 200);
  EXPECT_EQ(robots.robots_txt, "User-agent: *\nDisallow:");
  EXPECT_EQ(robots.robots_fetched_at, now());
}

}  // namespace
}  // namespace quarry::test
