#include "conformance/maintain/maintain_test.hpp"

namespace quarry::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class MaintainSteps : public MaintainTest {
 protected:
  /// Of the steps that would change or have changed something, or failed.
  static std::vector<std::string> busy_steps(const ops::MaintainReport& report) {
    std::vector<std::string> names;
    for (const auto& step : report.steps)
      if (step.outcome == StepOutcome::done || step.outcome == StepOutcome::failed) names.push_back(step.step);
    return names;
  }
};
QUARRY_BOTH_ENGINES(MaintainSteps);

TEST_P(MaintainSteps, AllOfThemRunInTheirOrder) {
  const auto report = maintain();
  ASSERT_EQ(report.steps.size(), ops::maintain_steps().size());
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    EXPECT_EQ(report.steps[i].step, ops::maintain_steps()[i].name);
    EXPECT_NE(report.steps[i].outcome, StepOutcome::failed) << report.steps[i].step << report.steps[i].message.value_or("");
    if (report.steps[i].outcome == StepOutcome::skipped) {
      EXPECT_TRUE(report.steps[i].message) << report.steps[i].step << " does not say why";
    }
  }
  EXPECT_TRUE(report.led);
  EXPECT_EQ(report.failed, 0);
}

TEST_P(MaintainSteps, TwiceIsAsOnce) {
  ended_job();
  clock().advance(24h * 400);
  maintain();
  // Days are rolled up again as long as they last, and the write-ahead log grows with every commit.
  for (const auto& name : busy_steps(maintain()))
    EXPECT_THAT((std::vector<std::string>{"analytics", "checkpoint"}), Contains(name));
}

TEST_P(MaintainSteps, ADryRunChangesNothing) {
  set("retention_days", 90);
  ended_job();
  clock().advance(24h * 400);
  const auto before = db().read([](Read& tx) { return system::audit_head(tx); });
  const auto report = maintain({.dry_run = true});
  EXPECT_TRUE(report.dry_run);
  EXPECT_EQ(report.failed, 0);
  EXPECT_THAT(busy_steps(report), testing::IsSupersetOf({"analytics", "jobs", "tasks"}));
  EXPECT_EQ(rows("scraping_jobs"), 1);
  EXPECT_EQ(rows("task_queue"), 2);
  EXPECT_EQ(rows("usage_analytics"), 0);
  EXPECT_EQ(db().read([](Read& tx) { return system::audit_head(tx); }), before);
  EXPECT_FALSE(db().read([](Read& tx) { return ops::last_maintained(tx); }));
}

TEST_P(MaintainSteps, TheEndOfAWholeRunIsKept) {
  step("limits");
  EXPECT_FALSE(db().read([](Read& tx) { return ops::last_maintained(tx); })) << "one step is not the whole";
  maintain();
  EXPECT_EQ(db().read([](Read& tx) { return ops::last_maintained(tx); }), clock().now());
}

TEST_P(MaintainSteps, AFailingOneStopsNoOther) {
  db().write([](Write& tx) { system::set(tx, {.key = "maintain.logs_days", .value = "often"}); });
  set("maintain.tasks_days", -1);
  const auto report = maintain();
  EXPECT_EQ(report.failed, 2);
  ASSERT_EQ(report.steps.size(), ops::maintain_steps().size());
  for (const auto& step : report.steps) {
    const bool must_fail = step.step == "logs" || step.step == "tasks";
    EXPECT_EQ(step.outcome == StepOutcome::failed, must_fail) << step.step;
    if (!must_fail) continue;
    EXPECT_THAT(step.message.value_or(""), HasSubstr("maintain." + step.step + "_days"));
    EXPECT_THAT(step.remedy.value_or(""), HasSubstr("quarry maintain --only " + step.step));
  }
}

TEST_P(MaintainSteps, WhatAStepThrowsIsItsOwnTrouble) {
  const auto report = maintain({.progress = [](std::string_view step) {
    if (step == "sessions") throw std::runtime_error("out of luck");
  }});
  EXPECT_EQ(report.failed, 1);
  const auto failed = std::ranges::find(report.steps, std::string("sessions"), &ops::StepReport::step);
  EXPECT_EQ(failed->message, "out of luck");
  EXPECT_TRUE(failed->remedy);
}

TEST_P(MaintainSteps, OnlySomeCanBeAskedFor) {
  const auto report = maintain({.only = {"cache", "limits"}});
  ASSERT_EQ(report.steps.size(), 2U);
  EXPECT_EQ(report.steps[0].step, "limits") << "in their order, whatever was said";
  try {
    maintain({.only = {"everything"}});
    FAIL() << "there is no such step";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_THAT(error.client_message(), HasSubstr("audit-partitions"));
  }
  EXPECT_THROW(maintain({.rows_per_transaction = 0}), Error);
}

TEST_P(MaintainSteps, WhoAsksToStopIsObeyedBetweenTransactions) {
  for (int i = 0; i < 5; ++i) ended_job(1);
  clock().advance(24h * 60);
  std::stop_source source;
  const auto report =
      maintain({.rows_per_transaction = 2, .stop = source.get_token(), .progress = [&](std::string_view step) {
                  if (step == "tasks" && rows("task_queue") < 5) source.request_stop();
                }});
  EXPECT_EQ(rows("task_queue"), 3);
  const auto stopped = std::ranges::count(report.steps, StepOutcome::stopped, &ops::StepReport::outcome);
  EXPECT_GT(stopped, 5);
  EXPECT_FALSE(db().read([](Read& tx) { return ops::last_maintained(tx); }));
  maintain({.rows_per_transaction = 2});
  EXPECT_EQ(rows("task_queue"), 0) << "the next one goes on";
}

TEST_P(MaintainSteps, TransactionsAreBounded) {
  for (int i = 0; i < 7; ++i) ended_job(1);
  clock().advance(24h * 60);
  step("analytics");
  std::vector<std::int64_t> left;
  step("tasks", {.rows_per_transaction = 3, .progress = [&](std::string_view) { left.push_back(rows("task_queue")); }});
  EXPECT_THAT(left, testing::ElementsAre(7, 4, 1, 0));
}

TEST_P(MaintainSteps, SettingsHaveBounds) {
  for (const auto& setting : ops::maintain_settings()) {
    const auto value = db().read([&](Read& tx) { return ops::maintain_setting(tx, setting.key); });
    EXPECT_EQ(value, setting.default_value) << setting.key;
    if (value) {
      EXPECT_GE(*value, setting.least);
      EXPECT_LE(*value, setting.most);
    }
    set(setting.key, setting.most + 1);
    EXPECT_THROW(db().read([&](Read& tx) { return ops::maintain_setting(tx, setting.key); }), Error) << setting.key;
    set(setting.key, setting.most);
    EXPECT_EQ(db().read([&](Read& tx) { return ops::maintain_setting(tx, setting.key); }), setting.most);
  }
}

}  // namespace
}  // namespace quarry::test
