#include "conformance/billing/metering_test.hpp"
#include "conformance/maintain/maintain_test.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/jobs/configurations.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class MaintainWork : public MaintainTest {
 protected:
  JobId running_job() {
    const auto job = submit();
    add(job, 1);
    EXPECT_EQ(claim(1, 24h).size(), 1U);
    add_later(job);
    return job;
  }
  std::vector<billing::DailyUsage> days() {
    return db().read([](Read& tx) { return billing::daily_usage(tx, {}); });
  }
};
QUARRY_BOTH_ENGINES(MaintainWork);

TEST_P(MaintainWork, LeasesOfDeadWorkersAreTakenBack) {
  const auto job = submit();
  add(job, 1);
  const queue::NewTask later{.scheduled_at = clock().now() + 1h};
  db().write([&](Write& tx) { jobs::add_tasks(tx, job, queue_, std::span(&later, 1)); });
  ASSERT_EQ(claim().size(), 1U);
  clock().advance(2h);
  EXPECT_EQ(figures(dry("leases")), (Figures{{"leases", 1}, {"tasks due", 1}}));
  EXPECT_EQ(figures(step("leases")), (Figures{{"leases", 1}, {"tasks due", 1}}));
  EXPECT_EQ(rows("task_queue where status = 'pending'"), 2);
}

TEST_P(MaintainWork, EveryDayIsRolledUpAlsoThoseThatNobodyWasThereFor) {
  ended_job(1);
  clock().advance(24h);
  ended_job(2);
  step("analytics");
  clock().advance(24h);
  ended_job(3);
  clock().advance(24h * 3);
  ended_job(4);
  EXPECT_EQ(figures(dry("analytics"))["days"], 5);
  step("analytics");
  std::vector<std::pair<std::string, std::int64_t>> found;
  for (const auto& day : days()) found.emplace_back(day.date, day.tasks_executed);
  EXPECT_THAT(found, testing::ElementsAre(std::pair("2026-03-06", 4), std::pair("2026-03-03", 3), std::pair("2026-03-02", 2),
                                          std::pair("2026-03-01", 1)));
  EXPECT_EQ(figures(dry("analytics"))["days"], 1) << "the days before are over";
}

TEST_P(MaintainWork, AJobThatTakesTooLongIsGivenUp) {
  const auto job = running_job();
  clock().advance(1h + 1s);
  EXPECT_EQ(step("job-timeouts").outcome, StepOutcome::nothing) << "nobody has said how long it may take";
  set("default_job_timeout", 3'600);
  const auto younger = running_job();
  EXPECT_EQ(figures(dry("job-timeouts")), (Figures{{"jobs", 1}}));
  EXPECT_EQ(status_of(job), jobs::JobStatus::running);
  EXPECT_EQ(ops::give_up_overdue_jobs(db()), 1);
  EXPECT_EQ(status_of(job), jobs::JobStatus::cancelled);
  EXPECT_EQ(status_of(younger), jobs::JobStatus::running);
  EXPECT_THAT(db().read([&](Read& tx) { return jobs::get(tx, job).error_message.value_or(""); }),
              HasSubstr("default_job_timeout"));
  EXPECT_EQ(rows("task_queue where status = 'cancelled'"), 1);
  EXPECT_EQ(rows("task_queue where cancel_requested"), 1) << "the one that runs is asked to stop";
  EXPECT_EQ(step("job-timeouts").outcome, StepOutcome::nothing);
}

TEST_P(MaintainWork, AJobsOwnWordGoesFirst) {
  set("default_job_timeout", 3'600);
  const auto hasty = running_job(), patient = running_job(), endless = running_job(), paused = running_job();
  db().write([&](Write& tx) {
    jobs::set_configuration(tx, hasty, "timeout_seconds", "60");
    jobs::set_configuration(tx, patient, "timeout_seconds", "7200");
    jobs::set_configuration(tx, endless, "timeout_seconds", "0");
    jobs::pause(tx, paused);
  });
  clock().advance(61s);
  EXPECT_EQ(figures(step("job-timeouts")), (Figures{{"jobs", 1}}));
  EXPECT_EQ(status_of(hasty), jobs::JobStatus::cancelled);
  clock().advance(2h);
  EXPECT_EQ(figures(step("job-timeouts", {.rows_per_transaction = 1})), (Figures{{"jobs", 1}}));
  EXPECT_EQ(status_of(patient), jobs::JobStatus::cancelled);
  EXPECT_EQ(status_of(endless), jobs::JobStatus::running);
  EXPECT_EQ(status_of(paused), jobs::JobStatus::running);
}

class MaintainMeter : public MeteringTest {
 protected:
  ops::StepReport step(const std::string& name, bool dry_run = false) {
    return ops::maintain(db(), nullptr, {.dry_run = dry_run, .only = {name}, .pause_max = 0ms}).steps.at(0);
  }
};
QUARRY_BOTH_ENGINES(MaintainMeter);

TEST_P(MaintainMeter, UnitsThatNobodyWorksForAreGivenBack) {
  add(ada_, 1);
  const auto tasks = claim();
  ASSERT_EQ(tasks.size(), 1U);
  const queue::Finish done{tasks[0].id, tasks[0].lease_token};
  db().write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });  // past the meter
  expect_units(ada_, 0, 1);
  EXPECT_EQ(figures_text(step("reservations", true)), "reservations 1");
  EXPECT_EQ(figures_text(step("reservations")), "reservations 1");
  expect_units(ada_, 0, 0);
  EXPECT_EQ(step("reservations").outcome, StepOutcome::nothing);
}

TEST_P(MaintainMeter, AnEndedPlanLowersThePeriodThatIsUnderWay) {
  give(ada_, "starter", clock().now() + 48h);
  reserve(ada_, "some");
  EXPECT_EQ(balance(ada_).granted, 1'000 * unit);
  EXPECT_EQ(step("periods").outcome, StepOutcome::nothing);
  clock().advance(49h);
  EXPECT_EQ(figures_text(step("periods", true)), "users to look at 1");
  EXPECT_EQ(figures_text(step("periods")), "periods 1");
  EXPECT_EQ(balance(ada_).granted, 100 * unit);
  EXPECT_EQ(step("periods").outcome, StepOutcome::nothing);
  expect_sums();
}

}  // namespace
}  // namespace quarry::test
