/// Q16 of the field's known defects: the server dies in the middle of the work and comes back. Workers go on by themselves,
/// and nothing is lost or done twice.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "conformance/queue/counters.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/lease_keeper.hpp"
#include "quarry/queue/waiter.hpp"
#include "support/migrated_database.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using namespace quarry::queue;

/// Each finished task leaves a trace in the same transaction; two of them would break the key.
constexpr sql::Command<void(TaskId)> leave_trace{"test.leave_trace", "insert into traces (task_id) values ($1)"};
constexpr sql::Query<std::int64_t()> count_traces{"test.count_traces", "select count(*) from traces"};

struct Outage : testing::Test {
  PrivateCluster cluster;
  std::optional<Database> db;
  QueueId queue;

  void SetUp() override {
    auto opened = Database::open(cluster.url(), {.acquire_timeout = 5s});
    head().fill(opened);
    db = opened;
    queue = db->write([](Write& tx) {
      tx.session().run_script("test.traces", "create table traces (task_id bigint primary key)");
      return open_queue(tx, "tests");
    });
  }

  /// Claims, leaves a trace and finishes until nothing is open. Any error that says "not reached" is met by trying again.
  void work(std::atomic<int>& outages) {
    Waiter waiter(*db, queue);
    for (;;) {
      try {
        const auto tasks =
            db->write([&](Write& tx) { return claim(tx, queue, {.worker = "worker", .limit = 3, .lease = 2s}); });
        if (tasks.empty()) {
          if (db->read([&](Read& tx) { return counts(tx, queue); }).open() == 0) return;
          waiter.wait_until(std::chrono::steady_clock::now() + 50ms);
          continue;
        }
        std::this_thread::sleep_for(2ms);
        db->write([&](Write& tx) {
          std::vector<Finish> ends;
          for (const auto& task : tasks) {
            ends.push_back({task.id, task.lease_token, {}});
            tx.run(leave_trace, task.id);
          }
          finish_or_throw(tx, ends);
        });
      } catch (const Error& error) {
        // `conflict`: a lease ran out while the server was away. `constraint`: so it did, and another worker has left its
        // trace.
        if (error.code() != ErrorCode::unavailable && error.code() != ErrorCode::timeout &&
            error.code() != ErrorCode::conflict && error.code() != ErrorCode::constraint)
          ADD_FAILURE() << error.what() << " " << error.engine_message();
        ++outages;
      }
    }
  }
};

TEST_F(Outage, Q16_WorkersResumeAfterTheServerWasKilled) {
  constexpr int tasks = 600;
  db->write([&](Write& tx) {
    std::vector<NewTask> all;
    for (int i = 0; i < tasks; ++i)
      all.push_back({.host_key = i % 2 ? std::optional("h" + std::to_string(i % 5)) : std::nullopt});
    enqueue(tx, queue, all);
  });
  std::atomic<int> outages = 0;
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < 4; ++t) workers.emplace_back([&] { work(outages); });
    for (int i = 0; i < 3; ++i) {
      std::this_thread::sleep_for(100ms);
      cluster.kill_immediate();
      cluster.start();
    }
  }
  EXPECT_GT(outages, 0) << "the server was never missed: the test has not tested anything";
  EXPECT_EQ(db->read([](Read& tx) { return tx.value(count_traces); }), tasks);
  EXPECT_EQ(db->read([&](Read& tx) { return counts(tx, queue); }).of(TaskStatus::completed), tasks);
  expect_counters_equal_rows(*db);
}

TEST_F(Outage, ALeaseKeeperGoesOnAfterTheServerWasAway) {
  db->write([&](Write& tx) { enqueue(tx, queue, NewTask{}); });
  const auto task = db->write([&](Write& tx) { return claim(tx, queue, {.worker = "worker", .lease = 600ms}); }).at(0);
  std::atomic<int> news = 0;
  LeaseKeeper keeper(*db, 600ms, [&](TaskId, LeaseEnd) { ++news; });
  keeper.add({task.id, task.lease_token});
  cluster.kill_immediate();
  std::this_thread::sleep_for(700ms);
  cluster.start();
  const auto back = db->now();
  for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;
       std::this_thread::sleep_for(5ms))
    if (db->read([&](Read& tx) { return find_task(tx, task.id); })->lease_until > back + 600ms) break;
  EXPECT_GT(db->read([&](Read& tx) { return find_task(tx, task.id); })->lease_until, back + 600ms);
  EXPECT_EQ(news, 0) << "nobody took it, so it was never lost";
  keeper.remove(task.id);
}

}  // namespace
}  // namespace quarry::test
