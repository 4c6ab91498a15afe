/// What becomes of the tasks of a worker that died on this machine.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/crawl/crawl_test.hpp"
#include "crawl/worker/identity.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::test {
namespace {

/// The identity of a process that has ended.
std::string dead_identity() {
  const auto own = crawl::worker_identity();
  const auto child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return fmt::format("{}/{}/1", own.substr(0, own.find('/')), child);
}

class DeadWorkers : public CrawlTest {
 protected:
  std::vector<queue::ClaimedTask> claim_as(const std::string& worker) {
    return db().write([&](Write& tx) {
      return queue::claim(tx, queue::open_queue(tx, crawl::crawl_queue), {.worker = worker, .limit = 10});
    });
  }
  void put_tasks(int count) {
    db().write([&](Write& tx) {
      const auto into = queue::open_queue(tx, crawl::crawl_queue);
      for (int i = 0; i < count; ++i) queue::enqueue(tx, into, queue::NewTask{.task_type = "t"});
    });
  }
  queue::Task look(TaskId id) {
    return *db().read([&](Read& tx) { return queue::find_task(tx, id); });
  }
};
QUARRY_BOTH_ENGINES(DeadWorkers);

TEST_P(DeadWorkers, WhoGotOnIsNotHeldAgainstTheTasksThatItHad) {
  put_tasks(4);
  const auto worker = dead_identity();
  // More often than `max_stalls`: each time one task is done, and the rest is given back.
  for (int life = 0; life < 3; ++life) {
    const auto tasks = claim_as(worker);
    ASSERT_EQ(tasks.size(), static_cast<std::size_t>(4 - life));
    db().write([&](Write& tx) {
      const queue::Finish done{tasks[0].id, tasks[0].lease_token, {}};
      queue::finish_or_throw(tx, std::span(&done, 1));
    });
    EXPECT_EQ(crawl::bury_dead_workers(db()), 1);
    for (std::size_t i = 1; i < tasks.size(); ++i) {
      EXPECT_EQ(look(tasks[i].id).status, queue::TaskStatus::pending);
      EXPECT_EQ(look(tasks[i].id).stall_count, 0);
    }
  }
}

TEST_P(DeadWorkers, WhoNeverGotOnMayHaveDiedOfAnyOfThem) {
  put_tasks(2);
  for (int life = 1; life <= 2; ++life) {
    const auto tasks = claim_as(dead_identity());
    ASSERT_EQ(tasks.size(), 2U);
    EXPECT_EQ(crawl::bury_dead_workers(db()), 1);
    for (const auto& task : tasks) EXPECT_EQ(look(task.id).stall_count, life);
  }
  EXPECT_EQ(crawl::bury_dead_workers(db()), 0);
}

}  // namespace
}  // namespace quarry::test
