/// Which task comes next: priorities that age, times to come, and batches.

#include "conformance/queue/queue_test.hpp"

namespace quarry::test {
namespace {

class QueueOrder : public QueueTest {};
QUARRY_BOTH_ENGINES(QueueOrder);

// CI-6
TEST_P(QueueOrder, ComesInPriorityThenTimeThenId) {
  const auto low = put({.priority = 9});
  const auto first = put({.priority = 5});
  const auto second = put({.priority = 5});
  const auto high = put({.priority = 1});
  EXPECT_EQ(ids_of(take()), (std::vector{high, first, second, low}));
}

TEST_P(QueueOrder, ATaskThatWaitedLongOutranksAYoungOneOfHigherPriority) {
  const auto old = put({.priority = 6});
  clock().advance(aging_step - 1us);
  const auto younger = put({.priority = 5});
  EXPECT_EQ(ids_of(take(1)), std::vector{younger}) << "one microsecond short of the aging step";
  clock().advance(1us);
  put({.priority = 5});
  EXPECT_EQ(ids_of(take(1)), std::vector{old});
}

TEST_P(QueueOrder, RankIsDueTimeAndPriority) {
  const auto id = put({.priority = 3});
  EXPECT_EQ(task(id).rank, now().us + 2 * aging_step.count());
}

TEST_P(QueueOrder, ATaskIsNotHandedOutBeforeItsTime) {
  const auto id = put({.scheduled_at = now() + 10s});
  EXPECT_EQ(status(id), TaskStatus::scheduled);
  clock().advance(10s - 1us);
  EXPECT_TRUE(take().empty());
  clock().advance(1us);
  EXPECT_EQ(ids_of(take()), std::vector{id});
}

TEST_P(QueueOrder, PromotesAtMostTheLimitTheOldestFirst) {
  const auto late = put({.scheduled_at = now() + 3s});
  const auto early = put({.scheduled_at = now() + 1s});
  const auto middle = put({.scheduled_at = now() + 2s});
  clock().advance(5s);
  EXPECT_EQ(db().write([](Write& tx) { return promote_due(tx, 2); }), 2);
  EXPECT_EQ(status(early), TaskStatus::pending);
  EXPECT_EQ(status(middle), TaskStatus::pending);
  EXPECT_EQ(status(late), TaskStatus::scheduled);
  EXPECT_EQ(db().write([](Write& tx) { return promote_due(tx, 2); }), 1);
}

TEST_P(QueueOrder, AClaimTakesNoMoreThanItsLimit) {
  const auto ids = put_many(10);
  EXPECT_EQ(ids_of(take(4)), std::vector(ids.begin(), ids.begin() + 4));
  EXPECT_EQ(ids_of(take(100)), std::vector(ids.begin() + 4, ids.end()));
  EXPECT_TRUE(take().empty());
}

TEST_P(QueueOrder, HostedAndPlainTasksMixByRank) {
  const auto third = put({.priority = 5});
  const auto second = put({.priority = 4, .host_key = "a.example"});
  const auto first = put({.priority = 3});
  const auto last = put({.priority = 6, .host_key = "b.example"});
  EXPECT_EQ(ids_of(take(3)), (std::vector{first, second, third}));
  EXPECT_EQ(ids_of(take(3)), std::vector{last});
}

TEST_P(QueueOrder, QueuesDoNotMix) {
  const auto mine = put();
  const auto other = db().write([](Write& tx) { return open_queue(tx, "others"); });
  const auto theirs = db().write([&](Write& tx) { return enqueue(tx, other, NewTask{.host_key = "a.example"}); });
  put({.scheduled_at = now() + 1h, .host_key = "a.example"});
  EXPECT_EQ(ids_of(take()), std::vector{mine});
  EXPECT_EQ(ids_of(db().write([&](Write& tx) { return claim(tx, other, {.worker = "test", .limit = 10}); })),
            std::vector{*theirs});
}

TEST_P(QueueOrder, WhatIsClaimedCarriesWhatWasPutIn) {
  const auto job_id = job("crawl");
  const auto id =
      put({.task_type = "fetch", .payload = {R"({"url": "https://a.example/"})"}, .host_key = "a.example", .max_retries = 7},
          {.user_id = user(), .job_id = job_id});
  const auto claimed = take_one();
  EXPECT_EQ(claimed.id, id);
  EXPECT_EQ(claimed.task_type, "fetch");
  EXPECT_NE(claimed.payload.text.find("https://a.example/"), std::string::npos);
  EXPECT_EQ(claimed.user_id, user());
  EXPECT_EQ(claimed.job_id, job_id);
  EXPECT_EQ(claimed.host_id, host("a.example").id);
  EXPECT_EQ(claimed.max_retries, 7);
  EXPECT_EQ(claimed.lease_token, 1);
  const auto stored = task(id);
  EXPECT_EQ(stored.status, TaskStatus::processing);
  EXPECT_EQ(stored.worker, "test");
  EXPECT_EQ(stored.started_at, now());
  EXPECT_EQ(stored.lease_until, now() + kLease);
}

TEST_P(QueueOrder, APausedQueueHandsOutNothingAndTakesMore) {
  put();
  const auto paused = queue();
  EXPECT_TRUE(db().write([&](Write& tx) { return set_paused(tx, paused, true); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return set_paused(tx, paused, true); }));
  put({.host_key = "a.example"});
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(db().write([&](Write& tx) { return set_paused(tx, paused, false); }));
  EXPECT_EQ(take().size(), 2U);
}

TEST_P(QueueOrder, NextEventIsTheEarliestOfDueTasksLeasesAndHosts) {
  const auto next = [&] { return db().read([](Read& tx) { return next_event(tx); }); };
  EXPECT_EQ(next(), std::nullopt);
  put({.scheduled_at = now() + 1h});
  EXPECT_EQ(next(), now() + 1h);
  put();
  take_one(10min);
  EXPECT_EQ(next(), now() + 10min);
  put({.host_key = "a.example"});
  const auto id = host("a.example").id;
  db().write([&](Write& tx) { block_host(tx, id, tx.now() + 1min); });
  EXPECT_EQ(next(), now() + 1min);
}

TEST_P(QueueOrder, OldestPendingLooksAtTasksWithAndWithoutHost) {
  const auto of = queue();
  const auto oldest = [&] { return db().read([&](Read& tx) { return oldest_pending(tx, of); }); };
  EXPECT_EQ(oldest(), std::nullopt);
  const auto start = now();
  put({.host_key = "a.example"});
  clock().advance(1s);
  put();
  EXPECT_EQ(oldest(), start);
}

TEST_P(QueueOrder, RefusesOptionsOutOfBounds) {
  for (const int limit : {0, -1, 10'001}) EXPECT_THROW(take(limit), Error) << limit;
  for (const auto lease : {0ms, -1ms, 99ms, 86'400'001ms}) EXPECT_THROW(take(1, lease), Error) << lease.count();
}

}  // namespace
}  // namespace quarry::test
