#include <thread>

#include "conformance/maintain/maintain_test.hpp"

namespace quarry::test {
namespace {

class MaintainLeader : public MaintainTest {};
QUARRY_BOTH_ENGINES(MaintainLeader);

TEST_P(MaintainLeader, IsOneAtATime) {
  std::optional<ops::MaintainReport> other;
  const auto second = database().open();
  maintain({.only = {"limits"}, .progress = [&](std::string_view) {
              if (other) return;
              std::jthread([&] { other = ops::maintain(second, nullptr, {.pause_max = 0ms}); }).join();
            }});
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->led);
  EXPECT_TRUE(other->steps.empty());
  EXPECT_THAT(other->leader.value_or(""), testing::HasSubstr("process "));
  EXPECT_TRUE(ops::maintain(second, nullptr, {.only = {"limits"}}).led) << "afterwards it may";
}

TEST_P(MaintainLeader, ADryRunNeedsNone) {
  bool looked = false;
  const auto second = database().open();
  maintain({.only = {"limits"}, .progress = [&](std::string_view) {
              if (looked) return;
              looked = true;
              std::jthread([&] {
                const auto report = ops::maintain(second, nullptr, {.dry_run = true});
                EXPECT_TRUE(report.led);
                EXPECT_EQ(report.failed, 0);
              }).join();
            }});
  EXPECT_TRUE(looked);
}

TEST_P(MaintainLeader, OfManyAtOnceEachStepsOnceIsEnough) {
  for (int i = 0; i < 20; ++i) ended_job(1);
  clock().advance(24h * 60);
  constexpr int programs = 6;
  std::atomic<int> led{0}, failed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < programs; ++i)
      threads.emplace_back([&] {
        const auto report = ops::maintain(db(), nullptr, {.rows_per_transaction = 3});
        led += report.led ? 1 : 0;
        failed += static_cast<int>(report.failed);
      });
  }
  EXPECT_GE(led, 1);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(rows("task_queue"), 0);
  EXPECT_EQ(rows("audit_logs where action = 'maintain.retire'"), 1);
}

TEST_P(MaintainLeader, OthersGetOnWithTheirWorkMeanwhile) {
  for (int i = 0; i < 120; ++i) ended_job(1);
  clock().advance(24h * 60);
  step("analytics");
  std::atomic<int> written{0};
  std::atomic<bool> done{false};
  std::jthread writer([&] {
    while (!done) {
      db().write([&](Write& tx) { jobs::submit(tx, {.user_id = user_, .title = "Meanwhile"}); });
      ++written;
    }
  });
  while (written == 0) std::this_thread::yield();
  const int before = written;
  std::int64_t transactions = 0;
  // With pauses, as it runs by default.
  ops::maintain(db(), nullptr,
                {.only = {"tasks"}, .rows_per_transaction = 5, .progress = [&](std::string_view) { ++transactions; }});
  const int meanwhile = written - before;
  done = true;
  EXPECT_GE(transactions, 24);
  EXPECT_GE(meanwhile, transactions / 2) << "others waited for the whole of it";
}

TEST_P(MaintainLeader, ALostConnectionEndsTheLead) {
  if (is_sqlite()) GTEST_SKIP() << "a lock on a file is not lost";
  bool cut = false;
  const auto report = maintain(
      {.only = {"sessions", "limits"}, .progress = [&](std::string_view step) {
         if (cut || step != "sessions") return;
         cut = true;
         run_sql(
             "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
             " and database = (select oid from pg_database where datname = current_database())");
       }});
  ASSERT_EQ(report.steps.size(), 2U);
  EXPECT_EQ(report.steps[1].outcome, StepOutcome::failed) << "another one may lead by now";
}

}  // namespace
}  // namespace quarry::test
