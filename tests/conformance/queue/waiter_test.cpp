/// Waiting for work without losing a wake-up, and keeping leases from a thread of their own.

#include "quarry/queue/waiter.hpp"

#include <set>
#include <thread>

#include "conformance/queue/queue_test.hpp"
#include "quarry/queue/lease_keeper.hpp"

namespace quarry::test {
namespace {

using std::chrono::steady_clock;

/// Only there so that a broken build ends.
steady_clock::time_point far() { return steady_clock::now() + 60s; }

/// Waits until `done`, as long as a broken build is allowed to.
template <class Done>
bool eventually(Done done) {
  for (const auto end = far(); steady_clock::now() < end; std::this_thread::sleep_for(2ms))
    if (done()) return true;
  return false;
}

class QueueWaiter : public QueueTest {
 protected:
  /// The waiter may return early; a wake-up comes in the end.
  static bool woken(Waiter& waiter) {
    return eventually([&] { return waiter.wait_until(far()); });
  }
};
QUARRY_BOTH_ENGINES(QueueWaiter);

TEST_P(QueueWaiter, AWakeUpBetweenClaimAndWaitIsNotLost) {
  Waiter waiter(db(), queue());
  EXPECT_TRUE(take().empty());
  waiter.wake();
  const auto start = steady_clock::now();
  EXPECT_TRUE(waiter.wait_until(start + 1h));
}

TEST_P(QueueWaiter, AnEnqueueWakesFromThisHandleAndAnother) {
  const auto into = queue();
  Waiter waiter(db(), into);
  auto other = database().open();
  for (auto* handle : {&db(), &other}) {
    std::jthread producer([&] { handle->write([&](Write& tx) { enqueue(tx, into, NewTask{}); }); });
    EXPECT_TRUE(woken(waiter));
  }
}

TEST_P(QueueWaiter, WakeEndsAWaitFromAnotherThread) {
  Waiter waiter(db(), queue());
  std::jthread stopper([&] { waiter.wake(); });
  EXPECT_TRUE(woken(waiter));
}

TEST_P(QueueWaiter, TheDeadlineAndThePastEndIt) {
  Waiter waiter(db(), queue());
  // Eventually: a subscription wakes once more when it has reached its server, for it may have missed something until then.
  EXPECT_TRUE(eventually([&] { return !waiter.wait_until(steady_clock::now()); }));
  EXPECT_TRUE(eventually([&] { return !waiter.wait_until(steady_clock::now() - 1s); }));
}

TEST_P(QueueWaiter, ANextEventEndsItBeforeThePollInterval) {
  put({.scheduled_at = now() + 20ms});
  Waiter waiter(db(), queue());
  EXPECT_TRUE(eventually([&] { return !waiter.wait_until(steady_clock::now()); }));
  // Real time passes, the manual clock stands still: each wait is for the same twenty milliseconds, and fifty of them are
  // shorter together than fifty poll intervals by far.
  const auto start = steady_clock::now();
  for (int i = 0; i < 50; ++i) waiter.wait_until(start + 1h);
  EXPECT_LT(steady_clock::now() - start, 50 * Waiter::poll_interval / 2);
}

TEST_P(QueueWaiter, WhatIsOverdueButNotOursDoesNotMakeItSpin) {
  // A due host whose tasks belong to a paused queue is an event in the past for as long as the pause lasts.
  const auto of = queue();
  put({.host_key = "a.example"});
  db().write([&](Write& tx) { set_paused(tx, of, true); });
  Waiter waiter(db(), of);
  EXPECT_TRUE(eventually([&] { return !waiter.wait_until(steady_clock::now()); }));
  int returns = 0;
  for (const auto end = steady_clock::now() + 300ms; steady_clock::now() < end; ++returns) waiter.wait_until(end);
  EXPECT_LT(returns, 12);
}

class QueueLeaseKeeper : public QueueTest {
 protected:
  struct News {
    std::mutex mutex;
    std::set<std::pair<TaskId, LeaseEnd>> all;
    int calls = 0;
    void add(TaskId id, LeaseEnd why) {
      const std::scoped_lock lock(mutex);
      all.emplace(id, why);
      ++calls;
    }
    bool has(TaskId id, LeaseEnd why) {
      const std::scoped_lock lock(mutex);
      return all.contains({id, why});
    }
  };
  News news;
  LeaseKeeper::OnEnd note = [this](TaskId id, LeaseEnd why) { news.add(id, why); };
  static LeaseRef ref(const ClaimedTask& task) { return {task.id, task.lease_token}; }
};
QUARRY_BOTH_ENGINES(QueueLeaseKeeper);

TEST_P(QueueLeaseKeeper, ExtendsWhatItKeeps) {
  put_many(3);
  const auto tasks = take(3, 300ms);
  LeaseKeeper keeper(db(), 300ms, note);
  for (const auto& one : tasks) keeper.add(ref(one));
  EXPECT_EQ(keeper.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    clock().advance(250ms);
    EXPECT_TRUE(eventually(
        [&] { return task(tasks[0].id).lease_until == now() + 300ms && task(tasks[2].id).lease_until == now() + 300ms; }));
    EXPECT_EQ(reap(), 0);
  }
  EXPECT_EQ(news.calls, 0);
  for (const auto& one : tasks) keeper.remove(one.id);
  EXPECT_TRUE(end_all(tasks).ids.empty());
}

TEST_P(QueueLeaseKeeper, ReportsWhatWasLostOnce) {
  put_many(2);
  const auto tasks = take(2, 300ms);
  clock().advance(1s);
  const auto again = take(1, 30s);
  const auto lost = again.front().id;
  const auto kept = tasks[0].id == lost ? tasks[1] : tasks[0];
  LeaseKeeper keeper(db(), 300ms, note);
  keeper.add(std::vector{LeaseRef{lost, again.front().lease_token - 1}});
  EXPECT_TRUE(eventually([&] { return news.has(lost, LeaseEnd::lost); }));
  EXPECT_EQ(keeper.size(), 0U);
  EXPECT_EQ(news.calls, 1);
  EXPECT_NE(kept.id, lost);
}

TEST_P(QueueLeaseKeeper, ReportsACancellationOnceAndKeepsTheLease) {
  const auto id = put();
  const auto claimed = take_one(300ms);
  LeaseKeeper keeper(db(), 300ms, note);
  keeper.add(ref(claimed));
  db().write([&](Write& tx) { cancel_task(tx, id); });
  EXPECT_TRUE(eventually([&] { return news.has(id, LeaseEnd::cancelled); }));
  clock().advance(250ms);
  EXPECT_TRUE(eventually([&] { return task(id).lease_until == now() + 300ms; }));
  EXPECT_EQ(news.calls, 1);
  keeper.remove(id);
  EXPECT_TRUE(lose(claimed).ids.empty());
}

// The first heartbeat would come after twenty minutes.
TEST_P(QueueLeaseKeeper, HearsOfACancellationLongBeforeTheNextHeartbeat) {
  put_many(3);
  const auto tasks = take(3, 1h);
  LeaseKeeper keeper(db(), 1h, note);
  for (const auto& one : tasks) keeper.add(ref(one));
  db().write([&](Write& tx) { cancel_task(tx, tasks[1].id); });
  EXPECT_TRUE(eventually([&] { return news.has(tasks[1].id, LeaseEnd::cancelled); }));
  db().write([&](Write& tx) { cancel_task(tx, tasks[2].id); });
  EXPECT_TRUE(eventually([&] { return news.has(tasks[2].id, LeaseEnd::cancelled); }));
  EXPECT_EQ(news.calls, 2) << "each once";
  EXPECT_EQ(keeper.size(), 3U) << "their leases are kept";
}

TEST_P(QueueLeaseKeeper, LooksForNothingWhileItKeepsNothing) {
  const auto id = put();
  const auto claimed = take_one(1h);
  LeaseKeeper keeper(db(), 1h, note);
  const auto before = db().stats().reads;
  std::this_thread::sleep_for(LeaseKeeper::look_interval * 3);
  EXPECT_EQ(db().stats().reads, before);
  keeper.add(ref(claimed));
  EXPECT_TRUE(eventually([&] { return db().stats().reads > before + 1; }));
  db().write([&](Write& tx) { cancel_task(tx, id); });
  EXPECT_TRUE(eventually([&] { return news.has(id, LeaseEnd::cancelled); }));
  const auto told = db().stats().reads;
  std::this_thread::sleep_for(LeaseKeeper::look_interval * 3);
  EXPECT_EQ(db().stats().reads, told) << "what was told need not be asked again";
}

TEST_P(QueueLeaseKeeper, WhatWasRemovedIsNoNews) {
  put();
  const auto claimed = take_one(300ms);
  LeaseKeeper keeper(db(), 100ms, note);
  keeper.add(ref(claimed));
  keeper.remove(claimed.id);
  end(claimed);
  put();
  const auto marker = take_one(300ms);
  keeper.add({marker.id, marker.lease_token + 1});
  EXPECT_TRUE(eventually([&] { return news.has(marker.id, LeaseEnd::lost); })) << "heartbeats went on";
  EXPECT_EQ(news.calls, 1);
}

TEST_P(QueueLeaseKeeper, RefusesALeaseWithoutSense) {
  EXPECT_THROW(LeaseKeeper(db(), 0ms, note), Error);
  EXPECT_THROW(LeaseKeeper(db(), 25h, note), Error);
}

}  // namespace
}  // namespace quarry::test
