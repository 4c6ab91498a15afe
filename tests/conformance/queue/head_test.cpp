/// Claims that begin where the last ones found something: in order, without passing anything over for good, and without
/// looking at what has gone.

#include "quarry/queue/head.hpp"

#include "conformance/queue/queue_test.hpp"

namespace quarry::test {
namespace {

class QueueHead : public QueueTest {
 protected:
  std::vector<ClaimedTask> take_at(Head& head, int limit) {
    const auto from = queue();
    return db().write([&](Write& tx) { return claim(tx, from, {.worker = "test", .limit = limit, .head = &head}); });
  }
  /// All there are, so many at a time.
  std::vector<TaskId> take_rest(Head& head, int limit) {
    std::vector<TaskId> taken;
    for (auto tasks = take_at(head, limit); !tasks.empty(); tasks = take_at(head, limit))
      for (const auto& task : tasks) taken.push_back(task.id);
    return taken;
  }
};
QUARRY_BOTH_ENGINES(QueueHead);

TEST_P(QueueHead, TasksComeInOrderAndEachOnce) {
  const auto ids = put_many(50);
  Head head(1h);
  EXPECT_EQ(take_rest(head, 7), ids);
  const auto late = put();
  EXPECT_EQ(ids_of(take_at(head, 7)), std::vector{late});
}

TEST_P(QueueHead, WhatComesToStandInFrontIsFoundByTheNextLookFromThere) {
  const auto ids = put_many(30);
  Head head(1h);
  take_at(head, 5);
  const auto urgent = put({.priority = 1});
  if (is_postgres()) {
    EXPECT_EQ(ids_of(take_at(head, 5)), std::vector(ids.begin() + 5, ids.begin() + 10)) << "it is passed over for now";
  }
  Head that_always_looks(0s);
  EXPECT_EQ(ids_of(take_at(that_always_looks, 1)), std::vector{urgent});
}

TEST_P(QueueHead, AClaimThatFindsTooLittleLooksFromTheFrontAtOnce) {
  const auto ids = put_many(10);
  Head head(1h);
  take_at(head, 6);
  const auto urgent = put({.priority = 1});
  auto expected = std::vector{urgent};
  expected.insert(expected.end(), ids.begin() + 6, ids.end());
  EXPECT_EQ(ids_of(take_at(head, 100)), expected);
}

TEST_P(QueueHead, WhatIsPutBackComesAgain) {
  put_many(30);
  Head head(1h);
  const auto first = take_at(head, 5);
  take_at(head, 5);
  db().write([&](Write& tx) {
    for (const auto& task : first) {
      const LeaseRef lease{task.id, task.lease_token};
      release(tx, std::span(&lease, 1));
    }
  });
  const auto taken = take_rest(head, 5);
  EXPECT_EQ(taken.size(), 25U);
  for (const auto& task : first) EXPECT_EQ(std::ranges::count(taken, task.id), 1);
}

TEST_P(QueueHead, AHostGivesNoMoreThanItHasRoomFor) {
  db().write([](Write& tx) { configure_host(tx, "narrow.example", {.max_in_flight = 1}); });
  put_many(30);
  Head head(1h);
  take_at(head, 5);
  put_many(5, {.host_key = "narrow.example"});
  const auto tasks = take_at(head, 100);
  EXPECT_EQ(tasks.size(), 26U);
  EXPECT_EQ(std::ranges::count_if(tasks, [](const auto& task) { return task.host_id.has_value(); }), 1);
}

TEST(QueueHeadPlace, WhatALookFromTheFrontHasFoundStays) {
  Head head(1h);
  EXPECT_FALSE(head.begin());
  head.looked(Head::Place{100, 1}, {});
  const auto from = head.begin();
  ASSERT_TRUE(from);
  head.looked(Head::Place{5, 9}, {});
  head.move_to(*from, {110, 2});
  EXPECT_EQ(head.begin(), (Head::Place{5, 9})) << "this claim began behind what was found";
  head.move_to({5, 9}, {6, 1});
  EXPECT_EQ(head.begin(), (Head::Place{6, 1}));
  head.looked({}, {});
  EXPECT_FALSE(head.begin());
}

// The field's queues slow down with all that was done since the oldest snapshot that somebody keeps.
TEST_P(QueueHead, ClaimsDoNotLookAtWhatHasGone) {
  if (!is_postgres()) GTEST_SKIP() << "SQLite takes the entries of what has gone away at once";
  // The count begins anew with each transaction, because the one before has handed it in.
  constexpr sql::Query<std::int64_t()> looked_at{
      "test.looked_at",
      "select n from (select pg_stat_get_xact_tuples_returned('idx_task_queue_ready'::regclass) as n) s,"
      " pg_stat_force_next_flush()"};
  constexpr sql::Query<std::int64_t()> some_read{"test.read", "select count(*) from queues"};
  put_many(400);
  const auto from = queue();
  auto elsewhere = Database::open(database().url());
  elsewhere.write({.isolation = Isolation::repeatable_read}, [&](Write& held) {
    held.value(some_read);
    const auto work = [&](Head* head) {
      return db().write([&](Write& tx) {
        const auto tasks = claim(tx, from, {.worker = "test", .limit = 10, .head = head});
        std::vector<Finish> ends;
        for (const auto& task : tasks) ends.push_back({task.id, task.lease_token, {}});
        finish_or_throw(tx, ends);
        return tx.value(looked_at);
      });
    };
    Head head(1h);
    std::int64_t most = 0;
    for (int i = 0; i < 30; ++i) most = std::max(most, work(&head));
    EXPECT_LE(most, 20) << "the ten that go now, and the ten before them";
    EXPECT_GE(work(nullptr), 300) << "else this test proves nothing: the entries have gone";
  });
}

}  // namespace
}  // namespace quarry::test
