/// Leases, attempts and tries: what is counted, what is refunded, and when it is over.

#include "conformance/queue/queue_test.hpp"
#include "support/error_of.hpp"

namespace quarry::test {
namespace {

class QueueLeases : public QueueTest {};
QUARRY_BOTH_ENGINES(QueueLeases);

TEST_P(QueueLeases, FinishStoresTheResultAndEndsTheTask) {
  put();
  const auto claimed = take_one();
  clock().advance(5s);
  const Finish one{claimed.id, claimed.lease_token, Json{R"({"pages": 3})"}};
  EXPECT_TRUE(db().write([&](Write& tx) { return finish(tx, std::span(&one, 1)); }).ids.empty());
  const auto stored = task(claimed.id);
  EXPECT_EQ(stored.status, TaskStatus::completed);
  EXPECT_EQ(stored.completed_at, now());
  EXPECT_EQ(stored.worker, "test");
  ASSERT_TRUE(stored.result);
  EXPECT_NE(stored.result->text.find("pages"), std::string::npos);
  EXPECT_FALSE(stored.lease_until);
}

TEST_P(QueueLeases, AHeartbeatExtendsTheLease) {
  put();
  const auto claimed = take_one(10s);
  clock().advance(9s);
  EXPECT_TRUE(beat(claimed, 10s).lost.empty());
  clock().advance(9s);
  EXPECT_EQ(reap(), 0);
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(end(claimed).ids.empty());
}

TEST_P(QueueLeases, AnExpiredLeaseThatNobodyTookBackIsStillGood) {
  put();
  const auto claimed = take_one(10s);
  clock().advance(1h);
  EXPECT_TRUE(beat(claimed).lost.empty());
  EXPECT_TRUE(end(claimed).ids.empty());
}

TEST_P(QueueLeases, AReleaseGivesTheAttemptBack) {
  const auto id = put({.priority = 2});
  const auto rank = task(id).rank;
  const auto first = take_one();
  clock().advance(1s);
  EXPECT_TRUE(give_back(first).ids.empty());
  const auto stored = task(id);
  EXPECT_EQ(stored.status, TaskStatus::pending);
  EXPECT_EQ(stored.retry_count, 0);
  EXPECT_EQ(stored.stall_count, 0);
  EXPECT_EQ(stored.rank, rank) << "it keeps its place";
  ASSERT_EQ(attempts(id).size(), 1U);
  EXPECT_EQ(attempts(id)[0].outcome, "released");
  EXPECT_EQ(attempts(id)[0].attempt, 1);
  EXPECT_EQ(give_back(first).ids, std::vector{id}) << "twice is once too often";
  const auto second = take_one();
  EXPECT_EQ(second.lease_token, first.lease_token + 1);
}

TEST_P(QueueLeases, AFailureWaitsWithBackoffAndEndsDead) {
  const auto id = put({.max_retries = 2});
  for (int tries = 0; tries < 2; ++tries) {
    const auto before = now();
    lose(take_one());
    const auto stored = task(id);
    EXPECT_EQ(stored.status, TaskStatus::scheduled);
    EXPECT_EQ(stored.retry_count, tries + 1);
    EXPECT_EQ(stored.error_message, "it broke");
    const auto delay = stored.scheduled_at - before;
    const auto full = 2s * (1 << tries);
    EXPECT_GE(delay, full / 2);
    EXPECT_LE(delay, full);
    EXPECT_EQ(stored.rank, stored.scheduled_at.us + (priority_default - 1) * aging_step.count());
    clock().set(stored.scheduled_at - 1us);
    EXPECT_TRUE(take().empty());
    clock().advance(1us);
  }
  lose(take_one());
  EXPECT_EQ(status(id), TaskStatus::dead);
  EXPECT_EQ(task(id).completed_at, now());
  ASSERT_EQ(attempts(id).size(), 3U);
  for (int i = 0; i < 3; ++i) {
    const auto attempt = attempts(id)[static_cast<std::size_t>(i)];
    EXPECT_EQ(attempt.attempt, i + 1);
    EXPECT_EQ(attempt.outcome, "failed");
    EXPECT_EQ(attempt.worker, "test");
    EXPECT_EQ(attempt.error_message, "it broke");
    EXPECT_TRUE(attempt.started_at);
  }
  EXPECT_TRUE(take().empty());
}

TEST_P(QueueLeases, APermanentFailureIsNotTriedAgain) {
  const auto id = put();
  lose(take_one(), true);
  EXPECT_EQ(status(id), TaskStatus::failed);
  EXPECT_EQ(attempts(id).size(), 1U);
}

TEST_P(QueueLeases, WhatWentWrongIsStoredWhateverItHolds) {
  using std::string_literals::operator""s;
  const auto fails_with = [&](const std::string& error) {
    const auto id = put();
    const auto taken = take_one();
    const Failure one{id, taken.lease_token, error, true};
    EXPECT_TRUE(db().write([&](Write& tx) { return fail(tx, std::span(&one, 1)); }).ids.empty());
    EXPECT_EQ(attempts(id).front().error_message, task(id).error_message);
    return task(id).error_message.value();
  };
  EXPECT_EQ(fails_with("caf\xE9 \0."s), "caf\xEF\xBF\xBD \xEF\xBF\xBD.");
  std::string long_text;
  for (int i = 0; i < 7'000; ++i) long_text += "\xC3\xBC";
  EXPECT_EQ(fails_with("." + long_text), "." + long_text.substr(0, 9'998));
}

TEST_P(QueueLeases, AWorkersNameIsText) {
  const auto of = queue();
  for (const auto& name : {std::string("\xFF"), std::string(1, '\0'), std::string(501, 'w')})
    EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { claim(tx, of, {.worker = name}); }); }), ErrorCode::invalid);
}

TEST_P(QueueLeases, TheCallerMaySayWhenToTryAgain) {
  const auto id = put();
  lose(take_one(), false, 90s);
  EXPECT_EQ(task(id).scheduled_at, now() + 90s);
  clock().advance(90s);
  lose(take_one(), false, 0ms);
  EXPECT_EQ(status(id), TaskStatus::pending) << "at once";
}

TEST_P(QueueLeases, StallsAreCountedApartAndEndDead) {
  const auto id = put({.max_retries = 0, .max_stalls = 2});
  for (int stall = 1; stall <= 2; ++stall) {
    take_one(10s);
    clock().advance(10s + 1us);
    EXPECT_EQ(reap(), 1);
    EXPECT_EQ(status(id), TaskStatus::pending);
    EXPECT_EQ(task(id).stall_count, stall);
    EXPECT_EQ(task(id).retry_count, 0) << "a dead worker is not the task's fault";
  }
  take_one(10s);
  clock().advance(11s);
  EXPECT_EQ(reap(), 1);
  EXPECT_EQ(status(id), TaskStatus::dead);
  EXPECT_TRUE(task(id).error_message);
  ASSERT_EQ(attempts(id).size(), 3U);
  EXPECT_EQ(attempts(id)[0].outcome, "stalled");
  EXPECT_EQ(attempts(id)[0].worker, "test");
}

TEST_P(QueueLeases, ALeaseEndsJustAfterItsTime) {
  put();
  take_one(10s);
  clock().advance(10s);
  EXPECT_EQ(reap(), 0);
  clock().advance(1us);
  EXPECT_EQ(reap(), 1);
}

TEST_P(QueueLeases, DeadLettersAreRedrivenWithAFreshBudget) {
  const auto id = put({.max_retries = 0});
  lose(take_one());
  ASSERT_EQ(status(id), TaskStatus::dead);
  const auto of = queue();
  clock().advance(1h);
  EXPECT_EQ(db().write([&](Write& tx) { return redrive(tx, of).tasks; }), 1);
  const auto again = task(id);
  EXPECT_EQ(again.status, TaskStatus::pending);
  EXPECT_EQ(again.retry_count, 0);
  EXPECT_EQ(again.scheduled_at, now());
  EXPECT_FALSE(again.completed_at);
  EXPECT_EQ(attempts(id).size(), 1U) << "its past stays on record";
  end(take_one());
  EXPECT_EQ(status(id), TaskStatus::completed);
  EXPECT_EQ(db().write([&](Write& tx) { return redrive(tx, of).tasks; }), 0);
}

TEST_P(QueueLeases, RedriveMovesAtMostTheLimitTheOldestFirst) {
  const auto ids = put_many(3, {.max_retries = 0});
  for (int i = 0; i < 3; ++i) {
    lose(take_one());
    clock().advance(1s);
  }
  const auto of = queue();
  EXPECT_EQ(db().write([&](Write& tx) { return redrive(tx, of, TaskStatus::dead, 2).tasks; }), 2);
  EXPECT_EQ(status(ids[2]), TaskStatus::dead);
  EXPECT_EQ(count(TaskStatus::pending), 2);
  EXPECT_THROW(db().write([&](Write& tx) { redrive(tx, of, TaskStatus::pending); }), Error);
}

TEST_P(QueueLeases, RetryTakesWhatEndedBadlyAndNothingElse) {
  const auto retry = [&](TaskId id) { return db().write([&](Write& tx) { return retry_task(tx, id); }); };
  const auto id = put();
  EXPECT_FALSE(retry(id)) << "pending";
  lose(take_one(), true);
  EXPECT_TRUE(retry(id));
  end(take_one());
  EXPECT_FALSE(retry(id)) << "completed";
  EXPECT_FALSE(retry(id + 1'000)) << "unknown";
}

TEST_P(QueueLeases, PurgeDeletesWhatEndedBefore) {
  const auto old = put();
  end(take_one());
  clock().advance(1h);
  const auto young = put();
  lose(take_one(), true);
  const auto waiting = put();
  EXPECT_EQ(db().write([](Write& tx) { return purge_ended(tx, tx.now()); }), 1);
  EXPECT_FALSE(db().read([&](Read& tx) { return find_task(tx, old); }));
  EXPECT_EQ(status(young), TaskStatus::failed);
  clock().advance(1us);
  EXPECT_EQ(db().write([](Write& tx) { return purge_ended(tx, tx.now()); }), 1) << "its attempts go with it";
  EXPECT_EQ(status(waiting), TaskStatus::pending);
}

TEST_P(QueueLeases, ListsPageByPage) {
  const auto ids = put_many(5);
  const auto of = queue();
  const auto page = [&](TaskId after) {
    std::vector<TaskId> found;
    for (const auto& one : db().read([&](Read& tx) { return list_tasks(tx, of, TaskStatus::pending, after, 3); }))
      found.push_back(one.id);
    return found;
  };
  EXPECT_EQ(page(0), std::vector(ids.begin(), ids.begin() + 3));
  EXPECT_EQ(page(ids[2]), std::vector(ids.begin() + 3, ids.end()));
}

}  // namespace
}  // namespace quarry::test
