/// Defects of other queues, one test each: the numbers are those of the field reference (Q1 to Q16). Q8 stands in
/// unique_test.cpp, Q12 in plans_test.cpp, Q9 and Q13 in concurrency_test.cpp, Q16 in the fault tests.

#include "conformance/queue/queue_test.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

class QueueKnownDefects : public QueueTest {
 protected:
  /// The first lease runs out, and the task is given to another worker.
  std::pair<ClaimedTask, ClaimedTask> lose_the_lease(const NewTask& task) {
    put(task);
    const auto old = take_one(10s);
    clock().advance(11s);
    return {old, take_one(10s)};
  }
};
QUARRY_BOTH_ENGINES(QueueKnownDefects);

TEST_P(QueueKnownDefects, Q1_ALateFinisherCannotEndTheNextAttempt) {
  const auto [old, young] = lose_the_lease({.host_key = "a.example"});
  ASSERT_EQ(old.id, young.id);
  EXPECT_EQ(end(old).ids, std::vector{old.id});
  EXPECT_EQ(status(old.id), TaskStatus::processing);
  EXPECT_EQ(task(old.id).lease_token, young.lease_token);
  EXPECT_TRUE(end(young).ids.empty());
  EXPECT_EQ(end(young).ids, std::vector{young.id}) << "twice is once too often";
}

TEST_P(QueueKnownDefects, Q2_HeartbeatFailAndReleaseAskForTheOwnerToo) {
  const auto [old, young] = lose_the_lease({.host_key = "a.example"});
  EXPECT_EQ(beat(old).lost, std::vector{old.id});
  EXPECT_EQ(lose(old).ids, std::vector{old.id});
  EXPECT_EQ(give_back(old).ids, std::vector{old.id});
  EXPECT_EQ(status(old.id), TaskStatus::processing);
  EXPECT_EQ(task(old.id).retry_count, 0);
  EXPECT_EQ(attempts(old.id).size(), 1U) << "the stall, and nothing of the late comer";
  const Finish late{old.id, old.lease_token, {}};
  try {
    db().write([&](Write& tx) {
      open_queue(tx, "an effect");
      finish_or_throw(tx, std::span(&late, 1));
    });
    FAIL() << "the whole unit of work must be undone";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
  }
  EXPECT_FALSE(db().read([](Read& tx) { return find_queue(tx, "an effect"); }));
  EXPECT_TRUE(lose(young).ids.empty());
}

TEST_P(QueueKnownDefects, Q1_OldAndNewLeaseOfOneTaskInOneCall) {
  const auto [old, young] = lose_the_lease({});
  const std::vector<Finish> both{{old.id, old.lease_token, {}}, {young.id, young.lease_token, {}}};
  EXPECT_EQ(db().write([&](Write& tx) { return finish(tx, both); }).ids, std::vector{old.id});
  EXPECT_EQ(status(old.id), TaskStatus::completed);
}

TEST_P(QueueKnownDefects, Q3_ALeaseIsMeasuredFromTheClaimNotFromTheDueTime) {
  put();
  clock().advance(10h);
  const auto claimed = take_one();
  EXPECT_EQ(reap(), 0);
  EXPECT_TRUE(take().empty());
  clock().advance(kLease);
  EXPECT_EQ(reap(), 0);
  EXPECT_TRUE(end(claimed).ids.empty());
}

TEST_P(QueueKnownDefects, Q4_TheTaskOfAKilledWorkerComesBack) {
  // The other process lives in real time.
  clock().set(SystemClock().now());
  const auto id = put();
  auto worker = Process::start({.program = QUARRY_QUEUE_WORKER, .args = {database().url(), "tests", "hang"}});
  worker.wait_for_output("claimed " + std::to_string(id));
  worker.kill();
  EXPECT_EQ(status(id), TaskStatus::processing);
  EXPECT_TRUE(take().empty());
  clock().set(*task(id).lease_until + 1us);
  EXPECT_EQ(ids_of(take()), std::vector{id});
}

TEST_P(QueueKnownDefects, Q5_PrefetchedTasksAreKeptByHeartbeatsAndRunOnce) {
  put_many(10);
  const auto tasks = take(10, 10s);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    clock().advance(8s);
    std::vector<LeaseRef> rest;
    for (auto at = i; at < tasks.size(); ++at) rest.push_back({tasks[at].id, tasks[at].lease_token});
    EXPECT_TRUE(db().write([&](Write& tx) { return heartbeat(tx, rest, 10s); }).lost.empty());
    EXPECT_TRUE(take().empty()) << "nobody else gets what waits in the buffer";
    EXPECT_TRUE(end(tasks[i]).ids.empty());
  }
  EXPECT_EQ(count(TaskStatus::completed), 10);
}

TEST_P(QueueKnownDefects, Q6_FinishedImpliesAnAttempt) {
  const auto id = put();
  const Finish unclaimed{id, 0, {}};
  EXPECT_EQ(db().write([&](Write& tx) { return finish(tx, std::span(&unclaimed, 1)); }).ids, std::vector{id});
  EXPECT_EQ(status(id), TaskStatus::pending);
  end(take_one());
  EXPECT_TRUE(task(id).started_at);
  EXPECT_TRUE(task(id).worker);
  EXPECT_GE(task(id).lease_token, 1);
}

TEST_P(QueueKnownDefects, Q10_LeasesDelaysBlocksAndLimitsSurviveARestart) {
  set_host("slow.example", {.delay_ms = 60'000});
  set_host("narrow.example", {.max_in_flight = 1});
  set_host("blocked.example", {});
  for (const auto* key : {"slow.example", "narrow.example", "blocked.example"}) put_many(2, {.host_key = key});
  const auto blocked = host("blocked.example").id;
  db().write([&](Write& tx) { block_host(tx, blocked, tx.now() + 1h); });
  const auto running = take();
  ASSERT_EQ(running.size(), 2U);
  std::vector<Host> before;
  for (const auto* key : {"slow.example", "narrow.example", "blocked.example"}) before.push_back(host(key));
  database().reopen();
  for (const auto& was : before) {
    const auto is = host(was.host_key);
    EXPECT_EQ(is.delay_ms, was.delay_ms);
    EXPECT_EQ(is.max_in_flight, was.max_in_flight);
    EXPECT_EQ(is.in_flight, was.in_flight);
    EXPECT_EQ(is.next_at, was.next_at);
    EXPECT_EQ(is.blocked_until, was.blocked_until);
  }
  EXPECT_TRUE(take().empty());
  for (const auto& one : running) EXPECT_TRUE(beat(one).lost.empty());
  EXPECT_TRUE(end_all(running).ids.empty()) << "the leases are as good as before";
  clock().advance(1h);
  EXPECT_EQ(take().size(), 4U);
}

TEST_P(QueueKnownDefects, Q14_MoreExpiredLeasesThanOneSweepTakesAreAllFound) {
  put_many(250, {.host_key = "a.example"});
  ASSERT_EQ(take(250, 1s).size(), 250U);
  clock().advance(2s);
  std::int64_t found = 0;
  while (const auto some = db().write([](Write& tx) { return reap_expired(tx, 100); })) found += some;
  EXPECT_EQ(found, 250);
  EXPECT_EQ(count(TaskStatus::pending), 250);
}

TEST_P(QueueKnownDefects, HostsOfAPausedQueueDoNotStandInTheWayOfAnothers) {
  const auto other = db().write([](Write& tx) { return open_queue(tx, "paused"); });
  db().write([&](Write& tx) {
    std::vector<NewTask> tasks(200);
    for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i].host_key = "early" + std::to_string(i) + ".example";
    enqueue(tx, other, tasks);
    set_paused(tx, other, true);
  });
  clock().advance(1s);
  const auto mine = put({.host_key = "late.example"});
  EXPECT_EQ(ids_of(take(1)), std::vector<TaskId>{mine});
}

TEST_P(QueueKnownDefects, PurgeLeavesTheTasksOfOpenJobsWhoseKeysSayWhatIsDone) {
  const auto open = job("open");
  const auto done = put({.unique_key = "page"}, {.job_id = open});
  put({.unique_key = "other page"}, {.job_id = open});
  const auto alone = put({.unique_key = "nobody's"});
  for (const auto& task : take())
    if (task.id == done || task.id == alone) end(task);
  clock().advance(1h);
  EXPECT_EQ(db().write([&](Write& tx) { return purge_ended(tx, tx.now()); }), 1);
  EXPECT_TRUE(put_all(std::vector<NewTask>{{.unique_key = "page"}}, {.job_id = open}).ids.empty())
      << "it is not asked for again";
}

TEST_P(QueueKnownDefects, Q15_TimesWithoutSenseAreRefused) {
  put();
  for (const auto lease : {0ms, -1000ms}) EXPECT_THROW(take(1, lease), Error);
  const auto claimed = take_one();
  for (const auto lease : {0ms, -1000ms, 99ms, 86'400'001ms}) EXPECT_THROW(beat(claimed, lease), Error) << lease.count();
  EXPECT_THROW(lose(claimed, false, -1ms), Error);
  EXPECT_TRUE(end(claimed).ids.empty());
}

}  // namespace
}  // namespace quarry::test
