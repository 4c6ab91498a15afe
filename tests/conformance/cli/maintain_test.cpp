#include "quarry/ops/maintain.hpp"

#include <csignal>
#include <thread>

#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class CliMaintain : public CliTest {
 protected:
  JobId ended_job() {
    return db().write([](Write& tx) {
      const auto job = jobs::submit(tx, {.user_id = accounts::ensure_local_user(tx), .title = "Old"}).id;
      jobs::cancel(tx, job);
      return job;
    });
  }
  bool is_there(JobId job) {
    return db().read([&](Read& tx) { return jobs::find(tx, job).has_value(); });
  }
  static const boost::json::object& step(const boost::json::object& report, std::string_view name) {
    for (const auto& step : report.at("steps").as_array())
      if (step.as_object().at("step").as_string() == name) return step.as_object();
    throw std::runtime_error("no such step");
  }
};
QUARRY_BOTH_ENGINES(CliMaintain);

TEST_P(CliMaintain, SaysWhatItWouldDoAndDoesIt) {
  const auto job = ended_job();  // in March 2026, by the clock of the test
  ASSERT_EQ(run({"setting", "set", "retention_days", "1", "--type", "integer"}).exit.code, 0);
  const auto foretold = json({"maintain", "--dry-run"});
  EXPECT_TRUE(foretold.at("dry_run").as_bool());
  EXPECT_EQ(step(foretold, "jobs").at("figures").as_array().at(0).at("count").to_number<int>(), 1);
  EXPECT_TRUE(is_there(job));
  const auto done = run({"maintain"});
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("1 jobs"));
  EXPECT_FALSE(is_there(job));
  EXPECT_EQ(number(json({"maintain", "--only", "jobs"}), "failed"), 0);
}

TEST_P(CliMaintain, AFailedStepHasANameARemedyAndAnExitCode) {
  refused({"setting", "set", "maintain.logs_days", "often"}, 64);
  // By a program of somebody's own.
  db().write([](Write& tx) { system::set(tx, {.key = "maintain.logs_days", .value = "often"}); });
  const auto done = run({"maintain"});
  EXPECT_EQ(done.exit.code, 1);
  EXPECT_THAT(done.err, HasSubstr("step logs failed"));
  EXPECT_THAT(done.err, HasSubstr("quarry maintain --only logs"));
  const auto report = json({"maintain"}, 1);
  EXPECT_EQ(number(report, "failed"), 1);
  EXPECT_EQ(step(report, "logs").at("outcome").as_string(), "failed");
  EXPECT_EQ(step(report, "sessions").at("outcome").as_string(), "nothing");
}

TEST_P(CliMaintain, BadInputIsNamed) {
  EXPECT_THAT(refused({"maintain", "--only", "everything"}, 64), HasSubstr("everything"));
}

TEST_P(CliMaintain, AnotherOneAtWorkIsBusy) {
  bool asked = false;
  ops::maintain(db(), nullptr, {.only = {"limits"}, .progress = [&](std::string_view) {
                                  if (asked) return;
                                  asked = true;
                                  EXPECT_THAT(refused({"maintain"}, 5), HasSubstr("maintains this database right now"));
                                }});
  EXPECT_TRUE(asked);
}

TEST_P(CliMaintain, WorkDoesItByItself) {
  const auto job = ended_job();
  ASSERT_EQ(run({"setting", "set", "retention_days", "1", "--type", "integer"}).exit.code, 0);
  auto worker = Process::start(command({"work", "--maintain-after-s", "0"}));
  for (int i = 0; i < 400 && is_there(job); ++i) std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(is_there(job));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait().code, 0) << worker.err();
}

TEST_P(CliMaintain, WorkLeavesItWhenToldTo) {
  const auto job = ended_job();
  ASSERT_EQ(run({"setting", "set", "retention_days", "1", "--type", "integer"}).exit.code, 0);
  ASSERT_EQ(run({"setting", "set", "maintain.interval_minutes", "0", "--type", "integer"}).exit.code, 0);
  auto worker = Process::start(command({"work", "--maintain-after-s", "0", "--metrics-port", "0"}));
  worker.wait_for_output("/metrics\n");
  std::this_thread::sleep_for(500ms);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait().code, 0) << worker.err();
  EXPECT_TRUE(is_there(job));
}

}  // namespace
}  // namespace quarry::test
