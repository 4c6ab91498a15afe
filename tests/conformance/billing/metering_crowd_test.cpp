#include <atomic>

#include "conformance/billing/metering_test.hpp"

namespace quarry::test {
namespace {

using queue::TaskStatus;

class MeteringCrowd : public MeteringTest {
 protected:
  /// Claims and finishes until nothing of the queue may ever run, with the clock going on.
  void work(int limit, const std::function<void(std::span<const queue::ClaimedTask>)>& began,
            const std::function<void(const queue::ClaimedTask&)>& ends) {
    for (int idle = 0; idle < 30;) {
      const auto got = claim(limit);
      began(got);
      idle = got.empty() ? idle + 1 : 0;
      for (const auto& one : got) {
        std::this_thread::yield();
        ends(one);
        // The clock of the others runs on meanwhile: what it cost is not the question here.
        EXPECT_TRUE(finish(one, billing::OverReserve::cap).ids.empty());
      }
      clock().advance(std::chrono::seconds(3));  // the last to work waits a minute and more for what was kept back
    }
  }
};
QUARRY_BOTH_ENGINES(MeteringCrowd);

// SX-2 and SX-3, at the claim.
TEST_P(MeteringCrowd, NeverMoreAtOnceAndNeverMoreInAll) {
  give(ada_, "starter");  // 3 at once
  db().write([&](Write& tx) { billing::adjust(tx, {ada_, "leaves forty", -960 * unit}); });
  add(ada_, 60);
  std::atomic<int> running{0}, most{0}, done{0};
  at_once(6, [&](int i) {
    work(
        1 + i % 4,
        [&](auto got) {
          const int now = running += static_cast<int>(got.size());
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
        },
        [&](const auto&) {
          --running;  // before its lease ends, so that nobody is counted twice
          ++done;
        });
  });
  EXPECT_LE(most, 3);
  EXPECT_EQ(done, 40);
  EXPECT_EQ(balance(ada_).remaining(), 0);
  EXPECT_EQ(counts(TaskStatus::completed), 40);
  EXPECT_EQ(counts(TaskStatus::processing), 0);
  expect_units(ada_, 40, 0);
}

TEST_P(MeteringCrowd, ManyUsersEachByTheirOwnPlan) {
  std::vector<UserId> users{ada_};
  for (const char* name : {"bob", "cleo", "dan", "eve"}) users.push_back(make_user(name));
  for (int round = 0; round < 8; ++round)
    for (const auto& user : users) add(user, 1);
  std::map<UserId, std::atomic<int>> running;
  for (const auto& user : users) running[user] = 0;
  std::atomic<int> done{0}, too_many{0};
  at_once(6, [&](int) {
    work(
        5,
        [&](auto got) {
          for (const auto& one : got) too_many += ++running.at(one.user_id.value()) > 1;
        },
        [&](const auto& one) {
          --running.at(one.user_id.value());
          ++done;
        });
  });
  EXPECT_EQ(too_many, 0);
  EXPECT_EQ(done, 40);
  for (const auto& user : users) expect_units(user, 8, 0);
}

}  // namespace
}  // namespace quarry::test
