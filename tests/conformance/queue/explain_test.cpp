/// Why a task is not running, for every state a task can be in.

#include "quarry/queue/explain.hpp"

#include "conformance/queue/queue_test.hpp"

namespace quarry::test {

void PrintTo(const Reason reason, std::ostream* out) { *out << boost::describe::enum_to_string(reason, "?"); }

namespace {

class QueueExplain : public QueueTest {
 protected:
  Explanation why(TaskId id) {
    return db().read([&](Read& tx) { return explain(tx, id, tx.now()); });
  }
  std::vector<Reason> reasons(TaskId id) {
    std::vector<Reason> found;
    for (const auto& finding : why(id).findings) {
      found.push_back(finding.reason);
      EXPECT_FALSE(finding.message.empty());
    }
    return found;
  }
  bool says(TaskId id, std::string_view text) {
    for (const auto& finding : why(id).findings)
      if (finding.message.find(text) != std::string::npos) return true;
    return false;
  }
};
QUARRY_BOTH_ENGINES(QueueExplain);

using Reasons = std::vector<Reason>;

TEST_P(QueueExplain, NotFound) {
  EXPECT_EQ(reasons(4711), Reasons{Reason::not_found});
  EXPECT_FALSE(why(4711).status);
}

TEST_P(QueueExplain, TheNextInLine) {
  const auto id = put();
  EXPECT_EQ(reasons(id), Reasons{Reason::waits_for_workers});
  EXPECT_EQ(why(id).runs_at, now());
  EXPECT_EQ(why(id).status, TaskStatus::pending);
}

TEST_P(QueueExplain, BehindOthers) {
  put_many(3, {.priority = 1});
  const auto id = put();
  EXPECT_EQ(reasons(id), Reasons{Reason::behind_others});
  EXPECT_TRUE(says(id, "3 tasks come before it"));
  put_many(1'001, {.priority = 1});
  EXPECT_TRUE(says(id, "more than 1000 tasks"));
}

TEST_P(QueueExplain, DueLater) {
  const auto id = put({.scheduled_at = now() + 1h});
  EXPECT_EQ(reasons(id), Reasons{Reason::due_later});
  EXPECT_EQ(why(id).runs_at, now() + 1h);
}

TEST_P(QueueExplain, WaitsForItsRetry) {
  const auto id = put();
  lose(take_one());
  EXPECT_EQ(reasons(id), Reasons{Reason::waits_for_retry});
  EXPECT_TRUE(says(id, "it broke"));
  EXPECT_EQ(why(id).runs_at, task(id).scheduled_at);
  EXPECT_EQ(why(id).attempts, 1);
}

TEST_P(QueueExplain, QueuePaused) {
  const auto id = put();
  const auto later = put({.scheduled_at = now() + 1h});
  const auto of = queue();
  db().write([&](Write& tx) { set_paused(tx, of, true); });
  EXPECT_EQ(reasons(id), Reasons{Reason::queue_paused}) << "it is the next in line, but nobody may take it";
  EXPECT_EQ(reasons(later), (Reasons{Reason::queue_paused, Reason::due_later}));
  EXPECT_FALSE(why(later).runs_at) << "nobody knows";
}

TEST_P(QueueExplain, WaitsForAJob) {
  const auto first = job("the first");
  const auto second = job("the second", first);
  const auto id = put({}, {.job_id = second, .blocked = true});
  EXPECT_EQ(reasons(id), Reasons{Reason::waits_for_job});
  EXPECT_TRUE(says(id, "the first"));
  EXPECT_TRUE(says(id, "pending"));
  EXPECT_FALSE(why(id).runs_at);
  const auto orphan = put({}, {.blocked = true});
  EXPECT_EQ(reasons(orphan), Reasons{Reason::waits_for_job});
}

TEST_P(QueueExplain, JobPaused) {
  const auto job_id = job("crawl");
  const auto id = put({}, {.job_id = job_id});
  db().write([&](Write& tx) { pause_job(tx, job_id); });
  EXPECT_EQ(reasons(id), Reasons{Reason::job_paused});
}

TEST_P(QueueExplain, HostBlocked) {
  const auto id = put({.host_key = "a.example"});
  const auto host_id = host("a.example").id;
  db().write([&](Write& tx) { block_host(tx, host_id, tx.now() + 1h); });
  EXPECT_EQ(reasons(id), Reasons{Reason::host_blocked});
  EXPECT_EQ(why(id).runs_at, now() + 1h);
  db().write([&](Write& tx) { host_refused(tx, host_id, tx.now(), 2h); });
  EXPECT_TRUE(says(id, "1 refusals"));
  EXPECT_EQ(why(id).runs_at, now() + 2h);
}

TEST_P(QueueExplain, HostDelay) {
  set_host("a.example", {.delay_ms = 10'000});
  const auto ids = put_many(3, {.host_key = "a.example"});
  take_one();
  EXPECT_EQ(reasons(ids[1]), Reasons{Reason::host_delay});
  EXPECT_EQ(why(ids[1]).runs_at, now() + 10s);
  EXPECT_EQ(reasons(ids[2]), (Reasons{Reason::host_delay, Reason::behind_others}));
  EXPECT_EQ(why(ids[2]).runs_at, now() + 20s);
}

TEST_P(QueueExplain, HostBusyNamesWhoHoldsItsPlaces) {
  set_host("a.example", {.max_in_flight = 1});
  const auto ids = put_many(2, {.host_key = "a.example"});
  take_one();
  EXPECT_EQ(reasons(ids[1]), Reasons{Reason::host_busy});
  const auto found = why(ids[1]);
  ASSERT_EQ(found.holders.size(), 1U);
  EXPECT_EQ(found.holders[0].id, ids[0]);
  EXPECT_EQ(found.holders[0].worker, "test");
  EXPECT_EQ(found.holders[0].lease_until, now() + kLease);
  EXPECT_FALSE(found.runs_at);
}

TEST_P(QueueExplain, Running) {
  const auto id = put();
  take_one();
  EXPECT_EQ(reasons(id), Reasons{Reason::running});
  EXPECT_TRUE(says(id, "worker test"));
  EXPECT_FALSE(why(id).runs_at);
  db().write([&](Write& tx) { cancel_task(tx, id); });
  EXPECT_EQ(reasons(id), (Reasons{Reason::running, Reason::cancel_requested}));
}

TEST_P(QueueExplain, LeaseExpired) {
  const auto id = put();
  take_one();
  clock().advance(kLease + 1us);
  EXPECT_EQ(reasons(id), Reasons{Reason::lease_expired});
  EXPECT_EQ(why(id).runs_at, now());
}

TEST_P(QueueExplain, Ended) {
  const auto good = put();
  end(take_one());
  EXPECT_EQ(reasons(good), Reasons{Reason::ended});
  EXPECT_TRUE(says(good, "completed"));
  const auto failed = put();
  lose(take_one(), true);
  EXPECT_TRUE(says(failed, "it broke"));
  EXPECT_TRUE(says(failed, "1 attempts"));
  const auto dead = put({.max_retries = 0});
  lose(take_one());
  EXPECT_EQ(reasons(dead), Reasons{Reason::ended});
  EXPECT_TRUE(says(dead, "dead letter"));
  const auto cancelled = put();
  db().write([&](Write& tx) { cancel_task(tx, cancelled); });
  EXPECT_TRUE(says(cancelled, "cancelled"));
}

}  // namespace
}  // namespace quarry::test
