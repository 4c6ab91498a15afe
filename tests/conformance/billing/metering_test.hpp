#pragma once
/// A queue whose tasks are metered.

#include "conformance/billing/billing_test.hpp"
#include "conformance/queue/counters.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/explain.hpp"

namespace quarry::test {

class MeteringTest : public BillingTest {
 protected:
  void SetUp() override {
    BillingTest::SetUp();
    queue_ = db().write([](Write& tx) { return queue::open_queue(tx, "work"); });
  }
  void TearDown() override {
    if (HasFatalFailure()) return;
    expect_counters_equal_rows(db());
    expect_sums();
  }

  std::vector<TaskId> add(std::optional<UserId> user, int count, queue::NewTask task = {}, std::optional<JobId> job = {}) {
    const std::vector<queue::NewTask> tasks(static_cast<std::size_t>(count), task);
    return db().write([&](Write& tx) { return queue::enqueue(tx, queue_, tasks, {.user_id = user, .job_id = job}).ids; });
  }
  std::vector<queue::ClaimedTask> claim(int limit = 100) {
    return db().write([&](Write& tx) {
      return billing::claim(tx, queue_, {.worker = "test", .limit = limit, .lease = std::chrono::hours(20)});
    });
  }
  queue::Refused finish(const queue::ClaimedTask& task, billing::OverReserve over = billing::OverReserve::charge) {
    const queue::Finish done{task.id, task.lease_token};
    return db().write([&](Write& tx) { return billing::finish(tx, std::span(&done, 1), {.over = over}); });
  }
  queue::Refused fail(const queue::ClaimedTask& task, bool permanent = false) {
    const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "503", .permanent = permanent};
    return db().write([&](Write& tx) { return billing::fail(tx, std::span(&failure, 1)); });
  }
  queue::Refused give_back(const queue::ClaimedTask& task) {
    const queue::LeaseRef lease{task.id, task.lease_token};
    return db().write([&](Write& tx) { return billing::release(tx, std::span(&lease, 1)); });
  }
  queue::Task task(TaskId id) {
    return db().read([&](Read& tx) { return queue::find_task(tx, id).value(); });
  }
  std::int64_t counts(queue::TaskStatus status) {
    return db().read([&](Read& tx) { return queue::counts(tx, queue_).of(status); });
  }
  void expect_units(UserId user, std::int64_t used, std::int64_t reserved) {
    const auto now = balance(user);
    EXPECT_EQ(now.used, used * unit);
    EXPECT_EQ(now.reserved, reserved * unit);
  }

  queue::QueueId queue_;
};

}  // namespace quarry::test
