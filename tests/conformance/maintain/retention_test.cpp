#include "conformance/maintain/maintain_test.hpp"
#include "conformance/queue/counters.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/limits/limits.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class MaintainRetention : public MaintainTest {
 protected:
  void TearDown() override { expect_counters_equal_rows(db()); }
  /// The dry run counts what the run then does.
  void expect_as_foretold(const std::string& name, const Figures& expected) {
    const auto foretold = dry(name);
    EXPECT_EQ(figures(foretold), expected) << name;
    EXPECT_EQ(figures(step(name)), expected) << name;
    EXPECT_EQ(step(name).outcome, StepOutcome::nothing) << name;
  }
};
QUARRY_BOTH_ENGINES(MaintainRetention);

TEST_P(MaintainRetention, EndedJobsGoWithAllThatIsTheirs) {
  const auto old = ended_job(3);
  clock().advance(24h * 91);
  const auto young = ended_job(1), open = submit();
  add(open, 1);
  EXPECT_EQ(step("jobs").outcome, StepOutcome::skipped) << "unless a setting says so, jobs stay";
  set("retention_days", 90);
  EXPECT_THAT(step("jobs").message.value_or(""), HasSubstr("rolled up")) << "their figures come first";
  step("analytics");
  EXPECT_EQ(figures(dry("jobs")), (Figures{{"jobs", 1}}));
  EXPECT_EQ(figures(step("jobs")), (Figures{{"jobs", 1}, {"tasks", 3}}));
  EXPECT_EQ(rows("scraping_jobs"), 2);
  EXPECT_EQ(rows("task_queue"), 2);
  EXPECT_EQ(rows("artifacts"), 1);
  EXPECT_FALSE(db().read([&](Read& tx) { return jobs::find(tx, old); }));
  EXPECT_TRUE(db().read([&](Read& tx) { return jobs::find(tx, young); }));
  EXPECT_EQ(step("jobs").outcome, StepOutcome::nothing);
}

TEST_P(MaintainRetention, TasksGoWhenTheirJobHasEnded) {
  const auto job = submit();
  add(job, 1);
  add_later(job);
  finish_all();
  ended_job(2);
  clock().advance(24h * 31);
  EXPECT_THAT(step("tasks").message.value_or(""), HasSubstr("--only analytics"));
  step("analytics");
  const auto left = rows("task_queue where completed_at is null or job_id is not null");
  ASSERT_EQ(left, 4);
  expect_as_foretold("tasks", {{"tasks", 2}});
  EXPECT_EQ(rows("task_queue"), 2) << "an open job knows by them what it has done";
}

TEST_P(MaintainRetention, WhatIsNotRolledUpStays) {
  ended_job(1);
  step("analytics");
  clock().advance(24h * 10);
  ended_job(1);
  clock().advance(24h * 40);
  EXPECT_EQ(figures(step("tasks")), Figures{}) << "the first day itself was not over when it was rolled up";
  step("analytics");
  EXPECT_EQ(figures(step("tasks")), (Figures{{"tasks", 2}}));
  EXPECT_EQ(rows("usage_analytics where tasks_executed = 1"), 2);
}

TEST_P(MaintainRetention, LogLinesGoByTheirAge) {
  const auto job = submit();
  const auto say = [&] { db().write([&](Write& tx) { jobs::append_log(tx, job, {.message = "something"}); }); };
  for (int i = 0; i < 3; ++i) say();
  clock().advance(24h * 30 + 1s);
  say();
  expect_as_foretold("logs", {{"lines", 3}});
  EXPECT_EQ(rows("job_logs"), 1);
  set("maintain.logs_days", 0);
  clock().advance(24h * 3'000);
  EXPECT_EQ(step("logs").outcome, StepOutcome::skipped) << "0 is for ever";
}

TEST_P(MaintainRetention, SessionsGoAWhileAfterTheirEnd) {
  const auto open = [&] { db().write([&](Write& tx) { accounts::open_session(tx, user_, {.absolute = 24h}); }); };
  open();
  clock().advance(24h * 31 + 1s);
  open();
  expect_as_foretold("sessions", {{"sessions", 1}});
  EXPECT_EQ(rows("user_sessions"), 1);
}

TEST_P(MaintainRetention, DeletedThingsCanBeBroughtBackForAWhile) {
  const auto job = ended_job(1);
  const auto artifact = put_artifact({}, "https://example.org/by-hand");
  const auto ada = make_user("ada");
  submit(ada);
  db().write([&](Write& tx) {
    jobs::soft_delete(tx, job);
    artifacts::soft_delete(tx, user_, artifact);
    accounts::delete_user(tx, ada);
  });
  clock().advance(24h * 30 - 1s);
  for (const char* name : {"deleted-jobs", "deleted-artifacts", "deleted-users"})
    EXPECT_EQ(step(name).outcome, StepOutcome::nothing) << name;
  clock().advance(2s);
  EXPECT_EQ(figures(dry("deleted-jobs")), (Figures{{"jobs", 1}}));
  EXPECT_EQ(figures(step("deleted-jobs")), (Figures{{"jobs", 1}, {"tasks", 1}}));
  expect_as_foretold("deleted-artifacts", {{"artifacts", 1}});
  EXPECT_EQ(figures(dry("deleted-users")), (Figures{{"users", 1}}));
  EXPECT_EQ(figures(step("deleted-users")), (Figures{{"jobs", 1}, {"users", 1}}));
  EXPECT_EQ(rows("scraping_jobs"), 0);
  EXPECT_EQ(rows("artifacts"), 0);
  EXPECT_EQ(rows("users"), 1) << "the local one";
}

TEST_P(MaintainRetention, AUserWithARunningTaskWaits) {
  const auto ada = make_user("ada");
  add(submit(ada), 1);
  ASSERT_EQ(claim().size(), 1U);
  db().write([&](Write& tx) { accounts::delete_user(tx, ada); });
  clock().advance(24h * 31);
  EXPECT_EQ(figures(step("deleted-users"))["users with running tasks"], 1);
  EXPECT_EQ(rows("users"), 2);
  step("leases");  // the worker is gone
  EXPECT_EQ(figures(step("deleted-users"))["users"], 1);
}

TEST_P(MaintainRetention, IdleLimitsAreForgotten) {
  db().write([&](Write& tx) {
    limits::take(tx, limits::ApiCall{user_, "GET /jobs"}, {.requests = 10, .period = 1min});
    limits::take(tx, limits::Scraper{"google"}, {.requests = 10, .period = 1min});
  });
  clock().advance(23h);
  EXPECT_EQ(step("limits").outcome, StepOutcome::nothing);
  clock().advance(2h);
  expect_as_foretold("limits", {{"rows", 2}});
}

TEST_P(MaintainRetention, TheCacheKeepsToItsTimesAndItsBudget) {
  const std::string large(400'000, 'x');
  db().write([&](Write& tx) {
    cache::set(tx, "short", "lived", 1min);
    for (int i = 0; i < 5; ++i) cache::set(tx, "large " + std::to_string(i), large, {});
  });
  clock().advance(1h);
  set("maintain.cache_mb", 1);
  EXPECT_EQ(figures(dry("cache"))["expired"], 1);
  EXPECT_GT(figures(dry("cache"))["bytes over the budget"], 900'000);
  EXPECT_EQ(figures(step("cache")), (Figures{{"expired", 1}, {"evicted", 3}}));
  EXPECT_EQ(step("cache").outcome, StepOutcome::nothing);
}

TEST_P(MaintainRetention, ProcessedMessagesOfTheProviderGo) {
  const auto put = [&](const char* id, const char* status) {
    const std::string hash(32, id[0]);
    const auto ago = is_sqlite() ? std::to_string(clock().now().us) : "'" + to_iso8601(clock().now()) + "'";
    const auto blob = [&](const std::string& text) {
      return is_sqlite() ? "cast('" + text + "' as blob)" : "'" + text + "'::bytea";
    };
    const auto uuid = is_sqlite() ? "cast('" + std::string(16, id[0]) + "' as blob)"
                                  : "'" + std::string(8, id[0]) + "-0000-7000-8000-000000000000'";
    run_sql(
        "insert into webhook_events (id, provider, body_sha256, event_name, raw_body, status, received_at, processed_at)"
        " values (" +
        uuid + ", 'lemonsqueezy', " + blob(hash) + ", 'order_created', " + blob("x") + ", '" + status + "', " + ago + ", " +
        (std::string(status) == "processed" ? ago : "null") + ")");
  };
  put("a", "processed");
  put("b", "failed");
  clock().advance(24h * 181);
  put("c", "processed");
  expect_as_foretold("webhooks", {{"messages", 1}});
  EXPECT_EQ(rows("webhook_events"), 2);
}

TEST_P(MaintainRetention, BodiesGoWithTheirLastArtifact) {
  const auto artifact = put_artifact({}, "https://example.org/1");
  put_artifact({}, "https://example.org/2");
  db().write([&](Write& tx) { artifacts::purge(tx, user_, artifact); });
  clock().advance(2h);
  const auto foretold = dry("bodies");
  EXPECT_EQ(figures(foretold)["bodies"], 1);
  EXPECT_EQ(figures(step("bodies")), figures(foretold));
  EXPECT_EQ(rows("blobs"), 1);
  auto report = ops::maintain(db(), nullptr, {.only = {"bodies"}});
  EXPECT_EQ(report.steps.at(0).outcome, StepOutcome::skipped) << "without the folder";
}

TEST_P(MaintainRetention, WhatWasTakenAwayIsRecorded) {
  set("retention_days", 90);
  ended_job(2);
  clock().advance(24h * 91);
  maintain();
  const auto notes = db().read([](Read& tx) { return system::list_audit(tx, {.action = "maintain.retire"}).rows; });
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(system::canonical_json(notes[0].details->text), R"({"jobs":{"jobs":1,"tasks":2}})");
  maintain();
  EXPECT_EQ(rows("audit_logs where action = 'maintain.retire'"), 1) << "nothing taken, nothing recorded";
  EXPECT_TRUE(db().read([](Read& tx) { return system::verify_audit(tx).intact(); }));
}

}  // namespace
}  // namespace quarry::test
