#include <stdexcept>

#include "conformance/erasure/erasure_test.hpp"
#include "conformance/queue/counters.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/artifacts/garbage.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/system/audit_verify.hpp"

namespace quarry::test {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::Pair;

QUARRY_BOTH_ENGINES(Erasure);

// SX-16
TEST_P(Erasure, NothingOfTheUserIsLeftAndEverythingOfOthers) {
  const auto ada = populate("adalovelace"), bob = populate("bobtables");
  finish(claim(1).at(0));
  const auto with_bob = rows_with("bobtables"), of_bob = rows_of(bob);
  EXPECT_THAT(rows_of(ada), Each(Pair(testing::_, testing::Gt(0)))) << "the test must have something of everything";
  hide(ada);
  const auto purge = ops::purge_user(db(), ada);
  EXPECT_TRUE(purge.done);
  EXPECT_EQ(purge.jobs, 3);
  EXPECT_EQ(purge.tasks, 7);
  EXPECT_EQ(purge.searches, 1);
  EXPECT_EQ(purge.artifacts, 2);
  EXPECT_EQ(purge.schedules, 1);
  EXPECT_EQ(purge.messages, 3) << "those that name no subscription, too";
  EXPECT_EQ(purge.sessions, 1);
  EXPECT_EQ(purge.running, 0);
  EXPECT_THAT(rows_with("adalovelace"), IsEmpty());
  EXPECT_THAT(rows_of(ada), Each(Pair(testing::_, 0)));
  EXPECT_EQ(rows_with("bobtables"), with_bob);
  EXPECT_EQ(rows_of(bob), of_bob);
  expect_counters_equal_rows(db());
  EXPECT_EQ(refused(ada), ErrorCode::not_found);
}

TEST_P(Erasure, BodiesGoWithTheirLastNameAndTheLogKeepsItsChain) {
  const auto ada = populate("adalovelace");
  populate("bobtables");
  hide(ada);
  ops::purge_user(db(), ada);
  EXPECT_EQ(count("blobs where ref_count = 0"), 1);
  EXPECT_EQ(count("blobs where ref_count = 3"), 1) << "bob's";
  clock().advance(std::chrono::hours(48));
  artifacts::FileBlobStore store(database().folder() / "blobs",
                                 {.durable = false, .clock = std::make_shared<ManualClock>(clock().now())});
  EXPECT_EQ(artifacts::collect_garbage(db(), store).blobs, 1);
  EXPECT_EQ(count("blobs"), 1);
  EXPECT_EQ(count("audit_logs where action = 'test.joined' and user_id is null"), 1);
  EXPECT_EQ(count("audit_logs where action = 'user.purge' and resource_type = 'user'"), 1);
  EXPECT_TRUE(db().read([](Read& tx) { return system::verify_audit(tx); }).breaks.empty());
}

// SX-12
TEST_P(Erasure, LiveTasksEndFirst) {
  const auto ada = populate("adalovelace"), bob = populate("bobtables");
  const auto running = claim(100);
  ASSERT_GT(running.size(), 4U);
  hide(ada);
  const auto first = ops::purge_user(db(), ada);
  EXPECT_FALSE(first.done);
  EXPECT_GT(first.running, 0);
  EXPECT_EQ(rows_of(ada)["users"], 1);
  expect_counters_equal_rows(db());
  for (const auto& task : running) {
    if (task.user_id != ada) continue;
    const queue::LeaseRef lease{task.id, task.lease_token};
    const auto beat =
        db().write([&](Write& tx) { return queue::heartbeat(tx, std::span(&lease, 1), std::chrono::seconds(30)); });
    EXPECT_EQ(beat.cancelled, std::vector<TaskId>{task.id}) << "the worker is told";
    const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "stopped"};
    db().write([&](Write& tx) { queue::fail(tx, std::span(&failure, 1)); });
  }
  EXPECT_TRUE(ops::purge_user(db(), ada).done);
  EXPECT_THAT(rows_of(ada), Each(Pair(testing::_, 0)));
  EXPECT_EQ(rows_of(bob)["task_queue"], 7) << "bob's go on";
  expect_counters_equal_rows(db());
}

TEST_P(Erasure, ADeadWorkersTasksEndWithTheirLeases) {
  const auto ada = populate("adalovelace");
  ASSERT_FALSE(claim(100).empty());
  hide(ada);
  EXPECT_FALSE(ops::purge_user(db(), ada).done);
  clock().advance(std::chrono::minutes(1));
  db().write([](Write& tx) { queue::reap_expired(tx); });
  EXPECT_TRUE(ops::purge_user(db(), ada).done);
  expect_counters_equal_rows(db());
}

TEST_P(Erasure, OnlyADeletedUserIsPurged) {
  const auto ada = populate("adalovelace");
  const auto before = rows_of(ada);
  EXPECT_EQ(refused(ada), ErrorCode::conflict);
  EXPECT_EQ(rows_of(ada), before);
  EXPECT_EQ(refused({}), ErrorCode::not_found);
}

TEST_P(Erasure, WhoIsBroughtBackInTheMiddleStays) {
  const auto ada = populate("adalovelace");
  hide(ada);
  int steps = 0;
  const ops::UserPurgeOptions options{.progress = [&](const ops::UserPurge&) {
    if (++steps == 2) db().write([&](Write& tx) { accounts::undelete_user(tx, ada); });
  }};
  try {
    ops::purge_user(db(), ada, options);
    ADD_FAILURE() << "somebody who is there was purged";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
  }
  EXPECT_EQ(rows_of(ada)["users"], 1);
}

TEST_P(Erasure, StoppedAnywhereItGoesOnWhenCalledAgain) {
  for (int stop_after = 1;; stop_after += 3) {
    const auto ada = populate("adalovelace");
    hide(ada);
    int steps = 0;
    const ops::UserPurgeOptions options{.rows_per_transaction = 1, .progress = [&](const ops::UserPurge&) {
                                          if (++steps == stop_after) throw std::runtime_error("killed");
                                        }};
    bool was_killed = false;
    try {
      ops::purge_user(db(), ada, options);
    } catch (const std::runtime_error& error) {
      was_killed = std::string_view(error.what()) == "killed";
      ASSERT_TRUE(was_killed) << error.what();
      expect_counters_equal_rows(db());
      EXPECT_TRUE(ops::purge_user(db(), ada).done);
    }
    ASSERT_THAT(rows_with("adalovelace"), IsEmpty()) << "stopped after " << stop_after;
    expect_counters_equal_rows(db());
    if (!was_killed) break;
  }
}

TEST_P(Erasure, ThoseDeletedLongAgoAreFound) {
  const auto ada = populate("adalovelace");
  populate("bobtables");
  hide(ada);
  const auto deleted_before = [&](Instant before) {
    return db().read([&](Read& tx) { return ops::users_deleted_before(tx, before); });
  };
  EXPECT_THAT(deleted_before(db().now()), IsEmpty());
  clock().advance(std::chrono::hours(1));
  EXPECT_EQ(deleted_before(db().now()), std::vector<UserId>{ada});
  const auto as_ada = [&](Read& tx) { return ops::users_deleted_before(tx, tx.now()); };
  try {
    db().read({.actor = Actor::user(ada)}, as_ada);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::denied);
  }
}

// The job is cancelled at once; its running task is not.
TEST_P(Erasure, AJobIsNotPurgedFromUnderItsWorker) {
  const auto ada = populate("adalovelace");
  const auto job = add_job(ada, "another", 2);
  queue::ClaimedTask mine;
  for (const auto& task : claim(100))
    if (task.job_id == job) mine = task;
  ASSERT_EQ(mine.job_id, job);
  db().write([&](Write& tx) { jobs::cancel(tx, job); });
  EXPECT_THROW(db().write([&](Write& tx) { jobs::purge(tx, job); }), Error);
  expect_counters_equal_rows(db());
}

}  // namespace
}  // namespace quarry::test
