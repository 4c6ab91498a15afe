/// A child of fork() has copies of the handles, but neither their threads nor a right to their connections: whatever it does
/// with them, it ends, and its parent notices nothing.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>

#include "conformance/sql/things.hpp"
#include "quarry/sql/backend.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

class Fork : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }
  /// Runs `body` in a child and returns how that ended: 0 when well. One that hangs is ended by a signal.
  static int in_child(const std::function<void()>& body) {
    const auto child = fork();
    if (child == 0) {
      alarm(20);
      body();
      _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
  }
  std::int64_t things() {
    return db().read([](Read& tx) { return tx.value(count_things); });
  }
};
QUARRY_BOTH_ENGINES(Fork);

TEST_P(Fork, AChildMayDropAHandleAndItsSubscription) {
  auto handle = std::make_optional(Database::open(database().url()));
  auto subscription = handle->backend().subscribe("tasks", [] {});
  handle->backend().post([] {});
  for (int i = 0; i < 1000; ++i) handle->read([](Read& tx) { return tx.value(count_things); });
  EXPECT_EQ(in_child([&] {
              subscription.reset();
              handle.reset();
            }),
            0);
  handle->write([](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  EXPECT_EQ(things(), 1);
}

TEST_P(Fork, AChildMayDropItWhileOthersAreAtWork) {
  auto handle = std::make_optional(Database::open(database().url()));
  std::atomic<bool> over = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!over) handle->read([](Read& tx) { return tx.value(count_things); });
    });
  int well = 0;
  for (int i = 0; i < 50; ++i) well += in_child([&] { handle.reset(); }) == 0;
  over = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(well, 50);
}

TEST(ForkOnSqlite, TheGateStaysShutForTheParentsWrite) {
  TestDatabase database(Engine::sqlite, things_schema());
  auto handle = std::make_optional(Database::open(database.url()));
  const auto gate_path = database.url().substr(std::string_view("sqlite:").size()) + "-gate";
  std::latch inside(1), looked(1);
  std::thread writer([&] {
    handle->write([&](Write&) {
      inside.count_down();
      looked.wait();
    });
  });
  inside.wait();
  const auto child = fork();
  if (child == 0) {
    alarm(20);
    handle.reset();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const int gate = ::open(gate_path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(gate, 0);
  EXPECT_NE(::flock(gate, LOCK_EX | LOCK_NB), 0) << "the child has opened its parent's gate";
  looked.count_down();
  writer.join();
  EXPECT_EQ(::flock(gate, LOCK_EX | LOCK_NB), 0);
  ::close(gate);
}

}  // namespace
}  // namespace quarry::test
