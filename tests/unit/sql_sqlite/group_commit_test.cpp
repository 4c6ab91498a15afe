#include "sql/sqlite/group_commit.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "quarry/core/error.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

using std::chrono::steady_clock;
constexpr auto never = steady_clock::time_point::max();

const auto no_body = [](Write&) {};

TEST(GroupCommit, SharesOneCommitAmongThoseWhoCameMeanwhile) {
  std::vector<std::size_t> batches;
  std::latch first_inside(1), release(1);
  GroupCommit group(100, [&](std::span<PendingWrite* const> batch) {
    if (batches.empty()) {
      first_inside.count_down();
      release.wait();
    }
    batches.push_back(batch.size());
  });
  std::thread first([&] {
    PendingWrite write{no_body};
    group.run(write, never);
  });
  first_inside.wait();
  std::vector<std::thread> others;
  for (int i = 0; i < 10; ++i)
    others.emplace_back([&] {
      PendingWrite write{no_body};
      group.run(write, never);
    });
  while (group.waiting() < 10) std::this_thread::yield();
  release.count_down();
  first.join();
  for (auto& other : others) other.join();
  EXPECT_EQ(batches, (std::vector<std::size_t>{1, 10}));
}

TEST(GroupCommit, ACallerLearnsItsOwnFailureOnly) {
  GroupCommit group(10, [](std::span<PendingWrite* const> batch) {
    for (auto* write : batch)
      if (write->alone) write->failure = std::make_exception_ptr(Error(ErrorCode::constraint, "mine"));
  });
  PendingWrite bad{no_body, true}, good{no_body};
  EXPECT_THROW(group.run(bad, never), Error);
  EXPECT_NO_THROW(group.run(good, never));
}

TEST(GroupCommit, GivesUpAtTheDeadlineWhileStillQueued) {
  std::latch inside(1), release(1);
  std::atomic<bool> first_time = true;
  GroupCommit group(10, [&](std::span<PendingWrite* const>) {
    if (!first_time.exchange(false)) return;
    inside.count_down();
    release.wait();
  });
  std::thread first([&] {
    PendingWrite write{no_body};
    group.run(write, never);
  });
  inside.wait();
  PendingWrite late{no_body};
  try {
    group.run(late, steady_clock::now() + std::chrono::milliseconds(5));
    ADD_FAILURE() << "did not give up";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::timeout);
  }
  EXPECT_EQ(group.waiting(), 0U);
  release.count_down();
  first.join();
  PendingWrite next{no_body};
  group.run(next, never);
}

}  // namespace
}  // namespace quarry::sql::sqlite_driver
