#pragma once
/// A database with a user, a queue and the means to work on tasks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "quarry/accounts/users.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/explain.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"
#include "support/error_of.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class JobsTest : public MigratedEngines {
 protected:
  void SetUp() override {
    db().write([&](Write& tx) {
      user_ = accounts::ensure_local_user(tx);
      queue_ = queue::open_queue(tx, "crawl");
    });
  }

  jobs::Job submit(jobs::NewJob job = {}) {
    job.user_id = user_;
    if (job.title.empty()) job.title = "A job";
    return db().write([&](Write& tx) { return jobs::submit(tx, job); });
  }
  queue::Enqueued add(JobId job, const std::vector<queue::NewTask>& tasks) {
    return db().write([&](Write& tx) { return jobs::add_tasks(tx, job, queue_, tasks); });
  }
  queue::Enqueued add(JobId job, int count) {
    return add(job, std::vector<queue::NewTask>(static_cast<std::size_t>(count)));
  }

  std::vector<queue::ClaimedTask> claim(int limit = 100) {
    return db().write([&](Write& tx) { return queue::claim(tx, queue_, {.worker = "test", .limit = limit}); });
  }
  void finish(const queue::ClaimedTask& task) {
    db().write([&](Write& tx) {
      const queue::Finish done{task.id, task.lease_token};
      queue::finish_or_throw(tx, std::span(&done, 1));
    });
  }
  void give_up(const queue::ClaimedTask& task) {
    db().write([&](Write& tx) {
      const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "404", .permanent = true};
      EXPECT_TRUE(queue::fail(tx, std::span(&failure, 1)).ids.empty());
    });
  }
  jobs::Job get(JobId id) {
    return db().read([&](Read& tx) { return jobs::get(tx, id); });
  }
  jobs::Explanation explain(JobId id) {
    return db().read([&](Read& tx) { return jobs::explain(tx, id); });
  }
  std::int64_t in_state(JobId id, queue::TaskStatus status) {
    for (const auto& count : explain(id).tasks)
      if (count.status == status) return count.n;
    return 0;
  }

  UserId user_;
  queue::QueueId queue_;
};

}  // namespace quarry::test
