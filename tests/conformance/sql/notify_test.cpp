/// Subscribers are woken after the commit, from this process and from another handle.

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>

#include "conformance/sql/things.hpp"
#include "quarry/sql/backend.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

/// Counts wake-ups, and waits for one. The limit is only there so that a broken build ends.
class Bell {
 public:
  void ring() {
    const std::scoped_lock lock(mutex_);
    ++rings_;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    const bool rang = changed_.wait_for(lock, std::chrono::seconds(20), [&] { return rings_ > 0; });
    rings_ = 0;
    return rang;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int rings_ = 0;
};

class Notify : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }
};
QUARRY_BOTH_ENGINES(Notify);

TEST_P(Notify, WakesAfterACommitOfThisHandleAndOfAnother) {
  Bell bell;
  const auto subscription = database().db().backend().subscribe("tasks", [&] { bell.ring(); });
  auto other = database().open();
  std::int64_t id = 0;
  for (auto* handle : {&db(), &other, &db(), &other}) {
    handle->write([&](Write& tx) {
      tx.run(insert_thing, make_thing(++id));
      tx.notify("tasks");
    });
    EXPECT_TRUE(bell.wait());
  }
}

TEST_P(Notify, ASubscriptionEnds) {
  Bell bell;
  auto subscription = database().db().backend().subscribe("tasks", [&] { bell.ring(); });
  subscription.reset();
  db().write([](Write& tx) { tx.notify("tasks"); });
}

TEST_P(Notify, ASubscriptionMayOutliveItsDatabase) {
  auto handle = std::make_optional(Database::open(database().url()));
  auto subscription = handle->backend().subscribe("tasks", [] {});
  handle.reset();
  subscription.reset();
}

}  // namespace
}  // namespace quarry::test
