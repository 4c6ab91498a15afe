/// Many workers on one queue: every task once, none left, and no error of a crowd reaches a caller (Q9, Q13).

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "conformance/queue/queue_test.hpp"
#include "quarry/queue/as_one.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

class QueueCrowd : public QueueTest {
 protected:
  /// Tasks of every kind: with hosts and without, with jobs and without.
  std::vector<NewTask> mixed(int count) {
    std::vector<NewTask> tasks;
    for (int i = 0; i < count; ++i) {
      NewTask task{.task_type = "page", .priority = 1 + i % 10};
      if (i % 3) task.host_key = "h" + std::to_string(i % 7);
      tasks.push_back(task);
    }
    return tasks;
  }
};
QUARRY_BOTH_ENGINES(QueueCrowd);

/// What a thread does: claims, puts in a link for every page, and finishes, in the crawl's order.
void work(Database& db, QueueId queue, std::mutex& mutex, std::map<TaskId, int>& done) {
  for (;;) {
    const auto tasks = db.write([&](Write& tx) { return claim(tx, queue, {.worker = "thread", .limit = 7}); });
    if (tasks.empty()) {
      if (db.read([&](Read& tx) { return counts(tx, queue); }).open() == 0) return;
      std::this_thread::yield();
      continue;
    }
    db.write([&](Write& tx) {
      std::vector<JobId> jobs;
      for (const auto& task : tasks)
        if (task.job_id) jobs.push_back(*task.job_id);
      lock_jobs(tx, jobs);
      as_one(tx, [&](Write& unit) {
        std::vector<Finish> ends;
        for (const auto& task : tasks) {
          ends.push_back({task.id, task.lease_token, {}});
          if (task.task_type != "page") continue;
          const NewTask link{.task_type = "link", .host_key = "h" + std::to_string((task.id * 5) % 7)};
          enqueue(unit, queue, link, {.job_id = task.job_id});
        }
        finish_or_throw(unit, ends);
      });
    });
    const std::scoped_lock lock(mutex);
    for (const auto& task : tasks) ++done[task.id];
  }
}

// CI-1
TEST_P(QueueCrowd, Q13_EightThreadsNeverGetTheSameTaskTwice) {
  const auto first = job("first"), second = job("second");
  put_all(mixed(150), {.job_id = first});
  put_all(mixed(150), {.job_id = second});
  put_all(mixed(100));
  std::mutex mutex;
  std::map<TaskId, int> done;
  std::atomic<int> errors = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        try {
          work(db(), queue(), mutex, done);
        } catch (const std::exception& error) {
          ++errors;
          ADD_FAILURE() << error.what();
        }
      });
    }
  }
  EXPECT_EQ(errors, 0);
  // PostgreSQL's SKIP LOCKED may wait for a row that is being replaced, so that once in a while two transactions meet and
  // one is run again. Without an order among the rows they take, it is dozens, and callers see the error in the end.
  EXPECT_LE(db().stats().retries, 10U) << "transactions waited for each other";
  EXPECT_EQ(done.size(), 800U);
  for (const auto& [id, times] : done) EXPECT_EQ(times, 1) << id;
  EXPECT_EQ(count(TaskStatus::completed), 800);
  EXPECT_EQ(job_row(first).status, "completed");
  EXPECT_EQ(job_row(second).processed_items, 300);
}

TEST_P(QueueCrowd, Q9_EightProcessesNeverGetTheSameTaskTwiceAndSeeNoBusy) {
  // The other processes live in real time.
  clock().set(SystemClock().now());
  const auto job_id = job("crawl");
  put_all(mixed(1'000), {.job_id = job_id});
  std::vector<Process> workers;
  for (int i = 0; i < 8; ++i)
    workers.push_back(Process::start({.program = QUARRY_QUEUE_WORKER, .args = {database().url(), "tests", "drain"}}));
  std::map<TaskId, int> done;
  for (auto& worker : workers) {
    EXPECT_TRUE(worker.wait(120s).ok()) << worker.err();
    std::istringstream out(worker.out());
    for (TaskId id = 0; out >> id;) ++done[id];
  }
  EXPECT_EQ(done.size(), 1'000U);
  for (const auto& [id, times] : done) EXPECT_EQ(times, 1) << id;
  EXPECT_EQ(count(TaskStatus::completed), 1'000);
  EXPECT_EQ(job_row(job_id).status, "completed");
}

}  // namespace
}  // namespace quarry::test
