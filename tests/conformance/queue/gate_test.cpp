#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <thread>

#include "conformance/queue/queue_test.hpp"
#include "quarry/queue/claim_gate.hpp"
#include "quarry/queue/until_done.hpp"

namespace quarry::test {
namespace {

/// Keeps back what it is told to.
class TestGate final : public ClaimGate {
 public:
  explicit TestGate(std::function<std::optional<KeptBack>(Write&, const ClaimedTask&)> judge) : judge_(std::move(judge)) {}
  std::vector<KeptBack> judge(Write& tx, std::span<const ClaimedTask> tasks) override {
    std::vector<KeptBack> kept;
    for (const auto& task : tasks)
      if (auto one = judge_(tx, task)) kept.push_back(*std::move(one));
    return kept;
  }

 private:
  std::function<std::optional<KeptBack>(Write&, const ClaimedTask&)> judge_;
};

class QueueGate : public QueueTest {
 protected:
  std::vector<ClaimedTask> take_through(TestGate& gate, int limit = 100) {
    const auto from = queue();
    return db().write([&](Write& tx) { return claim(tx, from, {.worker = "test", .limit = limit, .gate = &gate}); });
  }
  Task look(TaskId id) {
    return db().read([&](Read& tx) { return find_task(tx, id).value(); });
  }
};
QUARRY_BOTH_ENGINES(QueueGate);

TEST_P(QueueGate, OthersAreTakenInThePlaceOfWhatIsKeptBack) {
  const auto bad = put_many(30, {.task_type = "bad", .priority = 1});
  const auto good = put_many(3, {.task_type = "good"});
  TestGate gate([](Write& tx, const ClaimedTask& task) -> std::optional<KeptBack> {
    if (task.task_type == "good") return std::nullopt;
    return KeptBack{task.id, tx.now() + 1h, "not today"};
  });
  std::vector<TaskId> got;
  for (const auto& task : take_through(gate, 3)) got.push_back(task.id);
  EXPECT_THAT(got, testing::UnorderedElementsAreArray(good));
  const auto held = look(bad.back());
  EXPECT_EQ(held.status, TaskStatus::scheduled);
  EXPECT_EQ(held.error_message, "kept back: not today");
  EXPECT_EQ(held.scheduled_at, now() + 1h);
  EXPECT_EQ(held.retry_count, 0);
  EXPECT_FALSE(held.worker || held.started_at || held.lease_until);
  EXPECT_TRUE(db().read([&](Read& tx) { return attempts_of(tx, held.id); }).empty());
}

TEST_P(QueueGate, UndecidedTasksKeepTheirPlace) {
  const auto first = put({.priority = 1});
  const auto before = look(first);
  put();
  bool says = false;
  TestGate gate([&](Write&, const ClaimedTask& task) -> std::optional<KeptBack> {
    if (says || task.id != first) return std::nullopt;
    return KeptBack{.id = task.id, .until = Instant{}};
  });
  EXPECT_TRUE(take_through(gate, 1).empty()) << "it would meet the same one again";
  const auto after = look(first);
  EXPECT_EQ(after.status, TaskStatus::pending);
  EXPECT_EQ(after.rank, before.rank);
  EXPECT_EQ(after.error_message, std::nullopt);
  says = true;
  EXPECT_EQ(take_through(gate, 1).at(0).id, first);
}

TEST_P(QueueGate, AFailingGateHandsOutNothing) {
  put_many(2);
  TestGate gate([](Write&, const ClaimedTask&) -> std::optional<KeptBack> { throw std::runtime_error("no"); });
  EXPECT_THROW(take_through(gate), std::runtime_error);
  EXPECT_EQ(take().size(), 2U);
}

TEST_P(QueueGate, OneClaimKeepsBackNoMoreThanItMust) {
  put_many(2'500);
  TestGate gate([](Write& tx, const ClaimedTask& task) -> std::optional<KeptBack> {
    return KeptBack{task.id, tx.now() + 1h, "full"};
  });
  EXPECT_TRUE(take_through(gate, 100).empty());
  const auto held = db().read([&](Read& tx) { return counts(tx, *find_queue(tx, "tests")).of(TaskStatus::scheduled); });
  EXPECT_GE(held, 1'000);
  EXPECT_LT(held, 1'200);
}

// A task goes from pending to scheduled while its job is cancelled: whoever cancels looks for both.
TEST_P(QueueGate, WhatIsKeptBackWhileItsJobIsCancelledIsCancelledToo) {
  for (int round = 0; round < 5; ++round) {
    const auto cancelled = job("to be cancelled");
    put_many(120, {}, {.job_id = cancelled});
    TestGate gate([](Write& tx, const ClaimedTask& task) -> std::optional<KeptBack> {
      return KeptBack{task.id, tx.now() + 1h, "full"};
    });
    {
      std::vector<std::jthread> claimers;
      for (int i = 0; i < 3; ++i)
        claimers.emplace_back([&] {
          for (int n = 0; n < 20; ++n) take_through(gate, 1);
        });
      until_done([&] { return db().write([&](Write& tx) { return cancel_job(tx, cancelled); }); });
    }
    EXPECT_EQ(job_row(cancelled).open_tasks, 0);
  }
}

}  // namespace
}  // namespace quarry::test
