/// Cancelling: what has not begun never begins, and what runs is asked to stop and does not come back.

#include "conformance/queue/queue_test.hpp"
#include "support/error_of.hpp"

namespace quarry::test {
namespace {

constexpr sql::Command<void(JobId, Instant)> cancel_row{
    "test.cancel_job", "update scraping_jobs set status = 'cancelled', completed_at = $2 where id = $1"};
constexpr sql::Command<void(JobId, Instant)> delete_row{"test.delete_job",
                                                        "update scraping_jobs set deleted_at = $2 where id = $1"};

class QueueCancel : public QueueTest {
 protected:
  /// As `jobs::cancel` does it: the job, then its tasks.
  void cancel_whole(JobId id) {
    db().write([&](Write& tx) {
      tx.run(cancel_row, id, tx.now());
      cancel_job(tx, id);
    });
  }
  Moved redriven(TaskStatus ended_as, int limit = move_limit) {
    return db().write([&, of = queue()](Write& tx) { return redrive(tx, of, ended_as, limit); });
  }
  std::int64_t left(TaskStatus ended_as) {
    return db().read([&, of = queue()](Read& tx) { return count_beyond_redrive(tx, of, ended_as); });
  }
  CancelOutcome cancel(TaskId id) {
    return db().write([&](Write& tx) { return cancel_task(tx, id); });
  }
};
QUARRY_BOTH_ENGINES(QueueCancel);

TEST_P(QueueCancel, AWaitingTaskEndsAtOnce) {
  const auto ready = put({.host_key = "a.example"});
  const auto later = put({.scheduled_at = now() + 1h});
  const auto blocked = put({}, {.blocked = true});
  for (const auto id : {ready, later, blocked}) {
    EXPECT_EQ(cancel(id), CancelOutcome::cancelled);
    EXPECT_EQ(status(id), TaskStatus::cancelled);
    EXPECT_EQ(task(id).completed_at, now());
    EXPECT_EQ(cancel(id), CancelOutcome::already_ended);
  }
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(cancel(ready + 1'000), CancelOutcome::not_found);
}

TEST_P(QueueCancel, ARunningTaskIsAskedByItsHeartbeat) {
  const auto id = put();
  const auto claimed = take_one();
  EXPECT_TRUE(beat(claimed).cancelled.empty());
  EXPECT_EQ(cancel(id), CancelOutcome::requested);
  EXPECT_EQ(status(id), TaskStatus::processing);
  EXPECT_EQ(beat(claimed).cancelled, std::vector{id});
  EXPECT_TRUE(beat(claimed).lost.empty());
}

TEST_P(QueueCancel, ALookTellsWhichOfTheLeasesAreWantedNoMore) {
  put_many(3);
  const auto tasks = take(3);
  std::vector<LeaseRef> leases;
  for (const auto& one : tasks) leases.push_back({one.id, one.lease_token});
  const auto look = [&](std::span<const LeaseRef> at) {
    return db().read([&](Read& tx) { return cancel_requests(tx, at); });
  };
  EXPECT_TRUE(look(leases).empty());
  EXPECT_TRUE(look({}).empty());
  cancel(tasks[1].id);
  EXPECT_EQ(look(leases), std::vector{tasks[1].id});
  const LeaseRef old{tasks[1].id, tasks[1].lease_token - 1};
  EXPECT_TRUE(look(std::span(&old, 1)).empty()) << "this lease is no longer the one";
  lose(tasks[1]);
  EXPECT_TRUE(look(leases).empty()) << "it has ended";
}

TEST_P(QueueCancel, ACancelledTaskThatFailsIsNotTriedAgain) {
  const auto id = put();
  const auto claimed = take_one();
  cancel(id);
  EXPECT_TRUE(lose(claimed).ids.empty());
  EXPECT_EQ(status(id), TaskStatus::cancelled);
  EXPECT_EQ(task(id).completed_at, now());
  ASSERT_EQ(attempts(id).size(), 1U);
  EXPECT_EQ(attempts(id)[0].outcome, "cancelled");
}

TEST_P(QueueCancel, ACancelledTaskThatIsGivenBackIsNotHandedOutAgain) {
  const auto id = put({.host_key = "a.example"});
  const auto claimed = take_one();
  cancel(id);
  EXPECT_TRUE(give_back(claimed).ids.empty());
  EXPECT_EQ(status(id), TaskStatus::cancelled);
  EXPECT_TRUE(take().empty());
}

TEST_P(QueueCancel, ACancelledTaskWhoseWorkerDiesIsNotHandedOutAgain) {
  const auto id = put();
  take_one(10s);
  cancel(id);
  clock().advance(11s);
  EXPECT_EQ(reap(), 1);
  EXPECT_EQ(status(id), TaskStatus::cancelled);
}

TEST_P(QueueCancel, ACancelledTaskThatIsFinishedAllTheSameIsDone) {
  const auto id = put();
  const auto claimed = take_one();
  cancel(id);
  EXPECT_TRUE(end(claimed).ids.empty());
  EXPECT_EQ(status(id), TaskStatus::completed);
}

TEST_P(QueueCancel, ARetryForgetsTheRequest) {
  const auto id = put();
  cancel(id);
  EXPECT_TRUE(db().write([&](Write& tx) { return retry_task(tx, id); }));
  EXPECT_TRUE(beat(take_one()).cancelled.empty());
}

TEST_P(QueueCancel, TheWorkOfACancelledJobIsNotDoneAgain) {
  const auto job_id = job("crawl");
  const auto ids = put_many(2, {}, {.job_id = job_id});
  cancel_whole(job_id);
  std::string message;
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { retry_task(tx, ids[0]); }); }, &message), ErrorCode::conflict);
  EXPECT_NE(message.find(to_string(job_id) + " is cancelled"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { retry_job(tx, job_id); }); }), ErrorCode::conflict);
  const auto nobodys = put();
  cancel(nobodys);
  const auto moved = redriven(TaskStatus::cancelled, 1);
  EXPECT_EQ(moved.tasks, 1) << "what is left as it is stands in nobody's way";
  EXPECT_EQ(status(nobodys), TaskStatus::pending);
  EXPECT_EQ(redriven(TaskStatus::cancelled).tasks, 0);
  EXPECT_EQ(left(TaskStatus::cancelled), 2);
  EXPECT_EQ(left(TaskStatus::dead), 0);
  for (const auto id : ids) EXPECT_EQ(status(id), TaskStatus::cancelled);
  EXPECT_EQ(job_row(job_id).status, "cancelled");
  EXPECT_EQ(job_row(job_id).open_tasks, 0);
}

TEST_P(QueueCancel, TheWorkOfADeletedJobIsNotDoneAgain) {
  const auto job_id = job("crawl");
  const auto id = put({}, {.job_id = job_id});
  lose(take_one(), true);
  db().write([&](Write& tx) { tx.run(delete_row, job_id, tx.now()); });
  std::string message;
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { retry_task(tx, id); }); }, &message), ErrorCode::conflict);
  EXPECT_NE(message.find(to_string(job_id) + " is deleted"), std::string::npos) << message;
  EXPECT_EQ(redriven(TaskStatus::failed).tasks, 0);
  EXPECT_EQ(left(TaskStatus::failed), 1);
  EXPECT_EQ(status(id), TaskStatus::failed);
}

// The one task was cancelled, the job was not.
TEST_P(QueueCancel, ACancelledTaskOfAJobThatIsOpenMayRunAgain) {
  const auto job_id = job("crawl");
  const auto ids = put_many(2, {}, {.job_id = job_id});
  cancel(ids[0]);
  EXPECT_TRUE(db().write([&](Write& tx) { return retry_task(tx, ids[0]); }));
  cancel(ids[0]);
  EXPECT_EQ(redriven(TaskStatus::cancelled).tasks, 1);
  EXPECT_EQ(job_row(job_id).open_tasks, 2);
}

TEST_P(QueueCancel, AJobAsAWhole) {
  const auto job_id = job("crawl");
  const auto ids = put_many(5, {.host_key = "a.example"}, {.job_id = job_id});
  const auto stranger = put();
  const auto later = put({.scheduled_at = now() + 1h}, {.job_id = job_id});
  const auto running = take(2);
  EXPECT_EQ(db().write([&](Write& tx) { return cancel_job(tx, job_id, 3).tasks; }), 3) << "at most the limit";
  EXPECT_EQ(db().write([&](Write& tx) { return cancel_job(tx, job_id, 3).tasks; }), 1);
  EXPECT_EQ(count(TaskStatus::cancelled), 4);
  EXPECT_EQ(status(later), TaskStatus::cancelled);
  EXPECT_EQ(status(stranger), TaskStatus::pending);
  EXPECT_EQ(job_row(job_id).open_tasks, 2);
  for (const auto& one : running) EXPECT_EQ(beat(one).cancelled, std::vector{one.id});
  for (const auto& one : running) lose(one);
  EXPECT_EQ(job_row(job_id).open_tasks, 0);
  EXPECT_EQ(status(ids[0]), TaskStatus::cancelled);
}

}  // namespace
}  // namespace quarry::test
