/// Whoever waits for tasks is told when there are some.

#include <condition_variable>
#include <mutex>

#include "conformance/queue/queue_test.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

/// Waits for a wake-up. The limit is only there so that a broken build ends.
class Bell {
 public:
  void ring() {
    const std::scoped_lock lock(mutex_);
    rang_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    const bool rang = changed_.wait_for(lock, 20s, [&] { return rang_; });
    rang_ = false;
    return rang;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rang_ = false;
};

class QueueWake : public QueueTest {};
QUARRY_BOTH_ENGINES(QueueWake);

TEST_P(QueueWake, ByEnqueueHereAndElsewhere) {
  Bell bell;
  const auto into = queue();
  const auto subscription = db().backend().subscribe(wake_channel(into), [&] { bell.ring(); });
  put();
  EXPECT_TRUE(bell.wait());
  auto other = database().open();
  other.write([&](Write& tx) { enqueue(tx, into, NewTask{}); });
  EXPECT_TRUE(bell.wait());
}

TEST_P(QueueWake, ByWhatMakesATaskReady) {
  Bell bell;
  const auto of = queue();
  const auto job_id = job("first");
  const auto waiting = job("second", job_id);
  set_host("a.example", {.max_in_flight = 1});
  put_many(2, {.host_key = "a.example"}, {.job_id = job_id});
  put({}, {.job_id = waiting, .blocked = true});
  db().write([&](Write& tx) { set_paused(tx, of, true); });
  auto other = database().open();
  const auto subscription = other.backend().subscribe(wake_channel(of), [&] { bell.ring(); });

  db().write([&](Write& tx) { set_paused(tx, of, false); });
  EXPECT_TRUE(bell.wait()) << "the queue goes on";
  give_back(take_one());
  EXPECT_TRUE(bell.wait()) << "a task came back";
  end(take_one());
  EXPECT_TRUE(bell.wait()) << "a slot of its host came free";
  db().write([&](Write& tx) { pause_job(tx, job_id); });
  db().write([&](Write& tx) { resume_job(tx, job_id); });
  EXPECT_TRUE(bell.wait()) << "the job goes on";
  lose(take_one(), true);
  EXPECT_TRUE(bell.wait()) << "a job that waited may start";
  const auto host_id = host("a.example").id;
  db().write([&](Write& tx) { block_host(tx, host_id, tx.now() + 1h); });
  db().write([&](Write& tx) { block_host(tx, host_id, {}); });
  EXPECT_TRUE(bell.wait()) << "a host's block was ended";
  set_host("a.example", {.max_in_flight = 5});
  EXPECT_TRUE(bell.wait()) << "a host may be asked more";
}

}  // namespace
}  // namespace quarry::test
