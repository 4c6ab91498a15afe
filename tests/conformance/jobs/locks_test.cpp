/// Tasks come before their job: whoever ends a task has it when it comes to the job. Whoever steers a job has the job, so it
/// must not wait for a task, or the two wait for each other until PostgreSQL ends one of them.

#include <chrono>
#include <functional>
#include <thread>

#include "conformance/jobs/jobs_test.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/queue/until_done.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

using queue::TaskStatus;

constexpr sql::Command<JobId(JobId)> take_job{"test.take_job", sql::sqlite("select id from scraping_jobs where id = $1"),
                                              sql::postgres("select id from scraping_jobs where id = $1 for no key update")};

class JobsLocks : public JobsTest {
 protected:
  /// `steer` has the job when `work`, on another thread, gets hold of its task and waits for the job. SQLite has one writer
  /// at a time: there the one comes before the other.
  jobs::Moved meet(JobId job, const std::function<void(Write&)>& work, const std::function<jobs::Moved(Write&)>& steer) {
    if (!is_postgres()) {
      const auto moved = db().write(steer);
      db().write(work);
      return moved;
    }
    std::jthread worker;
    return db().write([&](Write& tx) {
      tx.one(take_job, job);
      worker = std::jthread([&] { db().write(work); });
      wait_for_a_waiter();
      return steer(tx);
    });
  }

  /// Cancelled however the two meet, and none of its tasks is left.
  void expect_cancelled(JobId job, const std::function<void(Write&)>& work) {
    const auto first = meet(job, work, [&](Write& tx) { return jobs::cancel(tx, job); });
    EXPECT_EQ(first.done, !is_postgres()) << "the task was in other hands";
    EXPECT_EQ(first.held, is_postgres());
    queue::until_done([&] { return db().write([&](Write& tx) { return jobs::cancel(tx, job); }); });
    EXPECT_EQ(get(job).open_tasks, 0);
    EXPECT_EQ(get(job).status, jobs::JobStatus::cancelled);
    EXPECT_EQ(db().stats().retries, 0U) << "they waited for each other";
  }

 private:
  void wait_for_a_waiter() {
    const auto give_up_at = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (run_on_postgres(database().url(),
                           "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
               .empty()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up_at) << "the worker never came to the job";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
};
QUARRY_BOTH_ENGINES(JobsLocks);

TEST_P(JobsLocks, ACancellationMeetsAFailure) {
  const auto job = submit().id;
  add(job, 1);
  const auto task = claim().front();
  expect_cancelled(job, [&](Write& tx) {
    const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "503"};
    queue::fail(tx, std::span(&failure, 1));
  });
}

TEST_P(JobsLocks, ACancellationMeetsAFinish) {
  const auto job = submit().id;
  add(job, 1);
  const auto task = claim().front();
  expect_cancelled(job, [&](Write& tx) {
    const queue::Finish done{task.id, task.lease_token, {}};
    queue::finish_or_throw(tx, std::span(&done, 1));
  });
}

TEST_P(JobsLocks, ACancellationMeetsAWorkersEnd) {
  const auto job = submit().id;
  add(job, 1);
  claim();
  clock().advance(std::chrono::hours(1));
  expect_cancelled(job, [](Write& tx) { queue::reap_expired(tx); });
}

TEST_P(JobsLocks, ACancellationMeetsARetry) {
  const auto job = submit().id;
  add(job, 2);
  const auto lost = claim().front();
  give_up(lost);
  ASSERT_EQ(get(job).status, jobs::JobStatus::running);
  std::optional<ErrorCode> refused;
  meet(
      job, [&](Write& tx) { refused = code_of([&] { queue::retry_task(tx, lost.id); }); },
      [&](Write& tx) { return jobs::cancel(tx, job); });
  EXPECT_EQ(refused, ErrorCode::conflict) << "the task was its own, and then it saw the job";
  EXPECT_NE(in_state(job, TaskStatus::cancelled) + in_state(job, TaskStatus::processing), 0);
  EXPECT_EQ(in_state(job, TaskStatus::pending), 0);
  EXPECT_EQ(db().stats().retries, 0U) << "they waited for each other";
}

TEST_P(JobsLocks, APauseMeetsACancelledTask) {
  const auto job = submit().id;
  const auto task = add(job, 2).ids.front();
  const auto pause = [&](Write& tx) { return jobs::pause(tx, job); };
  meet(
      job, [&](Write& tx) { queue::cancel_task(tx, task); }, pause);
  queue::until_done([&] { return db().write(pause); });
  EXPECT_EQ(in_state(job, TaskStatus::cancelled), 1);
  EXPECT_EQ(in_state(job, TaskStatus::paused), 1);
  EXPECT_EQ(db().stats().retries, 0U) << "they waited for each other";
}

TEST_P(JobsLocks, APurgeMeetsARetry) {
  const auto job = submit().id;
  const auto task = add(job, 1).ids.front();
  give_up(claim().front());
  const auto purge = [&](Write& tx) { return jobs::purge(tx, job); };
  const auto moved = meet(
      job, [&](Write& tx) { queue::retry_task(tx, task); }, purge);
  EXPECT_EQ(moved.done, !is_postgres());
  if (is_postgres()) {
    EXPECT_EQ(get(job).open_tasks, 1) << "it runs again, and stays";
  }
  EXPECT_EQ(db().stats().retries, 0U) << "they waited for each other";
}

}  // namespace
}  // namespace quarry::test
