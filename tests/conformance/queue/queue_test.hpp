#pragma once
/// What the tests of the queue share: a database with the whole schema, a queue in it, and short words for its verbs, each
/// in a transaction of its own. At the end of every test the figures are compared with the rows.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "conformance/queue/counters.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/queue/maintain.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

using namespace std::chrono_literals;
using namespace quarry::queue;

constexpr auto kLease = 30s;

struct JobRow {
  std::string status;
  int progress = 0;
  std::int64_t total_items = 0;
  std::int64_t open_tasks = 0;
  std::int64_t processed_items = 0;
  std::int64_t failed_items = 0;
  std::optional<Instant> started_at;
  std::optional<Instant> completed_at;
};
BOOST_DESCRIBE_STRUCT(JobRow, (),
                      (status, progress, total_items, open_tasks, processed_items, failed_items, started_at, completed_at))

class QueueTest : public MigratedEngines {
 protected:
  void TearDown() override { expect_counters_equal_rows(db()); }

  QueueId queue() {
    if (queue_.value == 0) queue_ = db().write([](Write& tx) { return open_queue(tx, "tests"); });
    return queue_;
  }
  Instant now() { return clock().now(); }

  Enqueued put_all(std::span<const NewTask> tasks, const EnqueueOptions& options = {}) {
    const auto into = queue();
    return db().write([&](Write& tx) { return enqueue(tx, into, tasks, options); });
  }
  TaskId put(const NewTask& task = {}, const EnqueueOptions& options = {}) {
    const auto into = queue();
    return db().write([&](Write& tx) { return enqueue(tx, into, task, options); }).value();
  }
  /// `count` tasks that are alike.
  std::vector<TaskId> put_many(int count, const NewTask& like = {}, const EnqueueOptions& options = {}) {
    const std::vector<NewTask> tasks(static_cast<std::size_t>(count), like);
    auto ids = put_all(tasks, options).ids;
    std::ranges::sort(ids);
    return ids;
  }

  std::vector<ClaimedTask> take(int limit = 100, std::chrono::milliseconds lease = kLease) {
    const auto from = queue();
    return db().write([&](Write& tx) { return claim(tx, from, {.worker = "test", .limit = limit, .lease = lease}); });
  }
  /// Exactly one task is ready.
  ClaimedTask take_one(std::chrono::milliseconds lease = kLease) {
    auto tasks = take(1, lease);
    if (tasks.empty()) throw std::runtime_error("nothing is ready to be claimed");
    return tasks.front();
  }
  Refused end(const ClaimedTask& task) {
    const Finish one{task.id, task.lease_token, {}};
    return db().write([&](Write& tx) { return finish(tx, std::span(&one, 1)); });
  }
  Refused end_all(const std::vector<ClaimedTask>& tasks) {
    std::vector<Finish> all;
    for (const auto& task : tasks) all.push_back({task.id, task.lease_token, {}});
    return db().write([&](Write& tx) { return finish(tx, all); });
  }
  Refused lose(const ClaimedTask& task, bool permanent = false, std::optional<std::chrono::milliseconds> retry_after = {}) {
    const Failure one{task.id, task.lease_token, "it broke", permanent, retry_after};
    return db().write([&](Write& tx) { return fail(tx, std::span(&one, 1)); });
  }
  Refused give_back(const ClaimedTask& task) {
    const LeaseRef one{task.id, task.lease_token};
    return db().write([&](Write& tx) { return release(tx, std::span(&one, 1)); });
  }
  HeartbeatResult beat(const ClaimedTask& task, std::chrono::milliseconds lease = kLease) {
    const LeaseRef one{task.id, task.lease_token};
    return db().write([&](Write& tx) { return heartbeat(tx, std::span(&one, 1), lease); });
  }
  std::int64_t reap() {
    return db().write([](Write& tx) { return reap_expired(tx); });
  }
  Task task(TaskId id) {
    return db().read([&](Read& tx) { return find_task(tx, id); }).value();
  }
  TaskStatus status(TaskId id) { return task(id).status; }
  std::vector<Attempt> attempts(TaskId id) {
    return db().read([&](Read& tx) { return attempts_of(tx, id); });
  }
  std::int64_t count(TaskStatus in) {
    const auto of = queue();
    return db().read([&](Read& tx) { return counts(tx, of).of(in); });
  }
  Host host(std::string_view key) {
    return db().read([&](Read& tx) { return find_host(tx, key); }).value();
  }
  Host set_host(std::string_view key, const HostSettings& settings) {
    return db().write([&](Write& tx) { return configure_host(tx, key, settings); });
  }

  UserId user();
  JobId job(std::string_view title, std::optional<JobId> depends_on = {});
  JobRow job_row(JobId id);

 private:
  QueueId queue_;
  std::optional<UserId> user_;
};

/// Their ids, in the order in which they were handed out.
std::vector<TaskId> ids_of(const std::vector<ClaimedTask>& tasks);

}  // namespace quarry::test
