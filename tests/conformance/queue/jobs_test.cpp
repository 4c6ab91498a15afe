/// A job through its tasks: figures, its end, pause, retry, and jobs that wait for another.

#include <thread>

#include "conformance/queue/queue_test.hpp"
#include "quarry/queue/as_one.hpp"

namespace quarry::test {
namespace {

/// Ends the task in a transaction that fails after that.
void end_in_vain(Database& db, const ClaimedTask& claimed) {
  EXPECT_THROW(db.write([&](Write& tx) {
    const Finish one{claimed.id, claimed.lease_token, {}};
    finish_or_throw(tx, std::span(&one, 1));
    throw std::runtime_error("the effects could not be stored");
  }),
               std::runtime_error);
}

class QueueJobs : public QueueTest {};
QUARRY_BOTH_ENGINES(QueueJobs);

struct NoteRow {
  std::string level;
  std::string message;
  Json metadata;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(NoteRow, (), (level, message, metadata, created_at))
constexpr sql::Query<NoteRow(JobId)> notes_of{
    "test.notes", "select level, message, metadata, created_at from job_logs where job_id = $1 order by id"};
constexpr sql::Command<void(JobId, Instant)> give_job_up{
    "test.give_up",
    "update scraping_jobs set status = 'cancelled', completed_at = $2, error_message = 'it took too long' where id = $1"};

class QueueJobNotes : public QueueTest {
 protected:
  std::vector<std::string> notes(JobId id) {
    std::vector<std::string> messages;
    for (const auto& row : db().read([&](Read& tx) { return tx.all(notes_of, id); })) {
      EXPECT_EQ(row.level, "info");
      messages.push_back(row.message);
    }
    return messages;
  }
};
QUARRY_BOTH_ENGINES(QueueJobNotes);

// SX-10: a log that stays empty whatever happens.
TEST_P(QueueJobNotes, ARunLeavesItsBeginAndItsEndInTheLog) {
  const auto id = job("crawl");
  put_many(3, {}, {.job_id = id});
  EXPECT_TRUE(notes(id).empty()) << "nothing has happened yet";
  const auto first = take(1);
  EXPECT_EQ(notes(id), std::vector<std::string>{"attempt 1 begins"});
  const auto rest = take();
  clock().advance(5s);
  lose(first[0], true);
  end(rest[0]);
  EXPECT_EQ(notes(id).size(), 1U) << "no line for every task";
  end(rest[1]);
  EXPECT_EQ(notes(id), (std::vector<std::string>{"attempt 1 begins",
                                                 "attempt 1 ended completed: 2 of 3 items done, 1 failed, 0 results, "
                                                 "0 bytes (its last task has ended)"}));
  const auto row = db().read([&](Read& tx) { return tx.all(notes_of, id); }).at(1);
  EXPECT_EQ(row.created_at, now());
  for (const auto* part : {"ended", "processed_items", "bytes_fetched", "its last task has ended"})
    EXPECT_NE(row.metadata.text.find(part), std::string::npos) << row.metadata.text;
}

TEST_P(QueueJobNotes, ItsEndIsUndoneWithItsTransaction) {
  const auto id = job("crawl");
  put({}, {.job_id = id});
  const auto claimed = take_one();
  end_in_vain(db(), claimed);
  EXPECT_EQ(notes(id).size(), 1U);
}

TEST_P(QueueJobNotes, AJobThatGoesOnSaysSo) {
  const auto id = job("crawl");
  const auto task_id = put({}, {.job_id = id});
  lose(take_one(), true);
  EXPECT_TRUE(db().write([&](Write& tx) { return retry_task(tx, task_id); }));
  end(take_one());
  EXPECT_EQ(notes(id), (std::vector<std::string>{
                           "attempt 1 begins",
                           "attempt 1 ended failed: 0 of 1 items done, 1 failed, 0 results, 0 bytes (none of its items "
                           "succeeded)",
                           "attempt 1 goes on: 1 of its 1 items are to be done again",
                           "attempt 1 ended completed: 1 of 1 items done, 0 failed, 0 results, 0 bytes (its last task has "
                           "ended)"}));
}

TEST_P(QueueJobNotes, ACancelledOneSaysWhyAndSaysItOnce) {
  const auto id = job("crawl");
  put_many(2, {}, {.job_id = id});
  const auto running = take_one();
  const auto cancel = [&](Write& tx) { return cancel_job(tx, id); };
  db().write([&](Write& tx) { tx.run(give_job_up, id, tx.now()); });
  db().write(cancel);
  EXPECT_EQ(notes(id).size(), 1U) << "one of its tasks runs";
  lose(running);
  db().write(cancel);
  db().write(cancel);
  EXPECT_EQ(notes(id),
            (std::vector<std::string>{
                "attempt 1 begins",
                "attempt 1 ended cancelled: 0 of 2 items done, 0 failed, 0 results, 0 bytes (it took too long)"}));
}

// On PostgreSQL a claim does not wait for a job that another transaction has, and leaves its begin to whoever comes next.
TEST_P(QueueJobNotes, ABeginThatWasLeftUndoneIsMadeUpFor) {
  if (!is_postgres()) GTEST_SKIP() << "one writer at a time: nothing is left undone";
  const auto id = job("crawl");
  put({}, {.job_id = id});
  std::vector<ClaimedTask> claimed;
  db().write([&](Write& tx) {
    lock_jobs(tx, std::span(&id, 1));
    std::thread([&] { claimed = take(); }).join();
  });
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_TRUE(notes(id).empty());
  end(claimed[0]);
  ASSERT_EQ(notes(id).size(), 2U);
  EXPECT_EQ(notes(id)[0], "attempt 1 begins");
}

TEST_P(QueueJobs, AJobRunsFromItsFirstClaimToItsLastEnd) {
  const auto id = job("crawl");
  put_many(4, {.max_retries = 0}, {.job_id = id});
  EXPECT_EQ(job_row(id).status, "pending");
  EXPECT_EQ(job_row(id).total_items, 4);
  EXPECT_EQ(job_row(id).open_tasks, 4);
  clock().advance(1s);
  auto tasks = take();
  EXPECT_EQ(job_row(id).status, "running");
  EXPECT_EQ(job_row(id).started_at, now());
  end(tasks[0]);
  lose(tasks[1]);
  EXPECT_EQ(job_row(id).progress, 50);
  EXPECT_EQ(job_row(id).processed_items, 1);
  EXPECT_EQ(job_row(id).failed_items, 1);
  end(tasks[2]);
  EXPECT_EQ(job_row(id).status, "running");
  clock().advance(1s);
  end(tasks[3]);
  const auto over = job_row(id);
  EXPECT_EQ(over.status, "completed");
  EXPECT_EQ(over.progress, 100);
  EXPECT_EQ(over.open_tasks, 0);
  EXPECT_EQ(over.completed_at, now());
}

TEST_P(QueueJobs, AJobWhoseTasksAllFailedHasFailed) {
  const auto id = job("crawl");
  put_many(2, {}, {.job_id = id});
  for (const auto& one : take()) lose(one, true);
  EXPECT_EQ(job_row(id).status, "failed");
}

TEST_P(QueueJobs, ItEndsInTheTransactionOfItsLastTask) {
  const auto id = job("crawl");
  put({}, {.job_id = id});
  const auto claimed = take_one();
  end_in_vain(db(), claimed);
  EXPECT_EQ(job_row(id).status, "running");
  EXPECT_EQ(job_row(id).open_tasks, 1);
  EXPECT_EQ(status(claimed.id), TaskStatus::processing);
  end(claimed);
  EXPECT_EQ(job_row(id).status, "completed");
}

TEST_P(QueueJobs, NewTasksBeforeTheLastEndKeepItOpen) {
  const auto id = job("crawl");
  put({}, {.job_id = id});
  const auto claimed = take_one();
  const auto into = queue();
  db().write([&](Write& tx) {
    const std::vector<NewTask> links(3, NewTask{.task_type = "link"});
    enqueue(tx, into, links, {.job_id = id});
    const Finish one{claimed.id, claimed.lease_token, {}};
    finish_or_throw(tx, std::span(&one, 1));
  });
  EXPECT_EQ(job_row(id).status, "running");
  EXPECT_EQ(job_row(id).open_tasks, 3);
  end_all(take());
  EXPECT_EQ(job_row(id).status, "completed");
}

TEST_P(QueueJobs, ARetryReopensIt) {
  const auto id = job("crawl");
  put_many(2, {}, {.job_id = id});
  const auto tasks = take();
  end(tasks[0]);
  lose(tasks[1], true);
  ASSERT_EQ(job_row(id).status, "completed");
  EXPECT_EQ(db().write([&](Write& tx) { return retry_job(tx, id).tasks; }), 1);
  const auto again = job_row(id);
  EXPECT_EQ(again.open_tasks, 1);
  EXPECT_EQ(again.failed_items, 0);
  EXPECT_EQ(again.status, "running");
  EXPECT_FALSE(again.completed_at);
  end(take_one());
  EXPECT_EQ(job_row(id).status, "completed");
}

TEST_P(QueueJobs, PauseHoldsWhatIsOpenAndResumeLetsItGo) {
  const auto id = job("crawl");
  put_many(3, {.host_key = "a.example"}, {.job_id = id});
  const auto later = put({.scheduled_at = now() + 1h}, {.job_id = id});
  const auto running = take_one();
  EXPECT_EQ(db().write([&](Write& tx) { return pause_job(tx, id).tasks; }), 3);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(status(later), TaskStatus::paused);
  EXPECT_EQ(host("a.example").pending, 0);
  EXPECT_TRUE(end(running).ids.empty()) << "what is under way goes on";
  EXPECT_EQ(job_row(id).status, "running") << "paused is open";
  EXPECT_EQ(db().write([&](Write& tx) { return resume_job(tx, id, 2).tasks; }), 2);
  EXPECT_EQ(db().write([&](Write& tx) { return resume_job(tx, id, 2).tasks; }), 1);
  EXPECT_EQ(status(later), TaskStatus::scheduled);
  EXPECT_EQ(take().size(), 2U);
}

TEST_P(QueueJobs, WhatComesBackToAPausedJobWaitsWithTheRest) {
  const auto id = job("crawl");
  put_many(5, {.host_key = "a.example"}, {.job_id = id});
  const auto dead = take_one();
  lose(dead, true);
  const auto failed = take_one(), released = take_one(), finished = take_one();
  const auto stalled = take_one(1s);
  static constexpr sql::Command<void(JobId, bool)> set_paused{"test.pause",
                                                              "update scraping_jobs set is_paused = $2 where id = $1"};
  db().write([&](Write& tx) {
    tx.run(set_paused, id, true);
    pause_job(tx, id);
  });
  lose(failed, false, 1h);
  give_back(released);
  end(finished);
  clock().advance(2s);
  EXPECT_EQ(db().write([](Write& tx) { return reap_expired(tx); }), 1);
  EXPECT_EQ(db().write([&](Write& tx) { return retry_job(tx, id).tasks; }), 1);
  for (const auto& task : {dead, failed, released, stalled}) EXPECT_EQ(status(task.id), TaskStatus::paused) << task.id;
  EXPECT_EQ(status(finished.id), TaskStatus::completed);
  EXPECT_EQ(host("a.example").pending, 0);
  db().write([&](Write& tx) {
    tx.run(set_paused, id, false);
    resume_job(tx, id);
  });
  EXPECT_EQ(status(failed.id), TaskStatus::scheduled) << "its delay is not over";
  EXPECT_EQ(take().size(), 3U);
}

TEST_P(QueueJobs, ACancelledJobWithoutTasksLetsThoseGoThatWaitForIt) {
  const auto first = job("first");
  const auto second = job("second", first);
  const auto two = put({}, {.job_id = second, .blocked = true});
  EXPECT_EQ(db().write([&](Write& tx) { return cancel_job(tx, first).tasks; }), 0);
  EXPECT_EQ(ids_of(take()), std::vector{two});
}

TEST_P(QueueJobs, TasksOfAJobThatWaitsAreBlockedUntilTheOtherEnds) {
  const auto first = job("first");
  const auto second = job("second", first);
  const auto third = job("third", second);
  const auto one = put({}, {.job_id = first});
  const auto two = put({.host_key = "a.example"}, {.job_id = second, .blocked = true});
  const auto two_later = put({.scheduled_at = now() + 1h}, {.job_id = second, .blocked = true});
  const auto three = put({}, {.job_id = third, .blocked = true});
  const auto running = take();
  EXPECT_EQ(ids_of(running), std::vector{one});
  EXPECT_EQ(status(two), TaskStatus::blocked);
  EXPECT_TRUE(end_all(running).ids.empty());
  EXPECT_EQ(status(two_later), TaskStatus::scheduled);
  EXPECT_EQ(status(three), TaskStatus::blocked) << "the second has not ended";
  const auto claimed = take_one();
  EXPECT_EQ(claimed.id, two);
  end(claimed);
  EXPECT_EQ(status(three), TaskStatus::blocked);
  clock().advance(1h);
  end(take_one());
  EXPECT_EQ(ids_of(take()), std::vector{three});
}

TEST_P(QueueJobs, SeveralCallsAsOneChange) {
  const auto id = job("crawl");
  put({.host_key = "a.example"}, {.job_id = id});
  const auto claimed = take_one();
  const auto into = queue();
  const auto unit_of_work = [&](bool breaks) {
    db().write([&](Write& tx) {
      as_one(tx, [&](Write& unit) {
        enqueue(unit, into, NewTask{.host_key = "b.example"}, {.job_id = id});
        EXPECT_THROW(unit.attempt([&] {
          enqueue(unit, into, NewTask{.host_key = "c.example"}, {.job_id = id});
          throw std::runtime_error("not this one");
        }),
                     std::runtime_error);
        const Finish one{claimed.id, claimed.lease_token, {}};
        finish_or_throw(unit, std::span(&one, 1));
        if (breaks) throw std::runtime_error("none of it");
      });
    });
  };
  EXPECT_THROW(unit_of_work(true), std::runtime_error);
  EXPECT_EQ(status(claimed.id), TaskStatus::processing);
  EXPECT_EQ(count(TaskStatus::processing), 1);
  unit_of_work(false);
  EXPECT_EQ(host("a.example").in_flight, 0);
  EXPECT_EQ(host("b.example").pending, 1);
  EXPECT_FALSE(db().read([](Read& tx) { return find_host(tx, "c.example"); }));
  EXPECT_EQ(count(TaskStatus::completed), 1);
  EXPECT_EQ(job_row(id).open_tasks, 1);
}

TEST_P(QueueJobs, ManyTasksOfManyJobsInOneCall) {
  const auto a = job("a");
  const auto b = job("b");
  put_many(10, {}, {.job_id = a});
  put_many(10, {.host_key = "a.example"}, {.job_id = b});
  put_many(10);
  EXPECT_TRUE(end_all(take()).ids.empty());
  EXPECT_EQ(job_row(a).processed_items, 10);
  EXPECT_EQ(job_row(b).status, "completed");
}

}  // namespace
}  // namespace quarry::test
