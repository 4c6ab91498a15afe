#include "conformance/records/records_test.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/searches/search.hpp"

namespace quarry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WorkRecords : public Records {
 protected:
  static ArtifactId put_note(Write& tx, UserId user) {
    artifacts::NewArtifact note;
    note.user_id = user;
    note.title = "A note";
    note.blob.hash.bytes.fill(7);
    return artifacts::put_artifact(tx, note);
  }
};
QUARRY_BOTH_ENGINES(WorkRecords);

TEST_P(WorkRecords, JobsThatAreTakenAway) {
  const auto ada = make_user("ada");
  const auto job = as(ada, [&](Write& tx) {
    const auto made = jobs::submit(tx, {.user_id = ada, .title = "Mine"}).id;
    jobs::cancel(tx, made);
    return made;
  });
  as(ada, [&](Write& tx) {
    EXPECT_TRUE(jobs::soft_delete(tx, job));
    EXPECT_FALSE(jobs::soft_delete(tx, job));
    EXPECT_TRUE(jobs::undelete(tx, job));
    EXPECT_FALSE(jobs::undelete(tx, job));
  });
  write([&](Write& tx) { EXPECT_TRUE(jobs::purge(tx, job).done); });
  EXPECT_THAT(actions_since(1), ElementsAre("job.delete", "job.undelete", "job.purge"));
  EXPECT_EQ(last().resource_id, job.value);
  EXPECT_EQ(details(), R"({"user_id":")" + to_string(ada) + "\"}") << "whose it was";
}

TEST_P(WorkRecords, ArtifactsThatAreTakenAway) {
  const auto ada = make_user("ada");
  const auto before = entries().size();
  const auto id = as(ada, [&](Write& tx) { return put_note(tx, ada); });
  EXPECT_THAT(actions_since(before), IsEmpty()) << "that is work";
  as(ada, [&](Write& tx) {
    EXPECT_TRUE(artifacts::soft_delete(tx, ada, id));
    EXPECT_FALSE(artifacts::soft_delete(tx, ada, id));
    EXPECT_TRUE(artifacts::restore(tx, ada, id));
    EXPECT_FALSE(artifacts::restore(tx, ada, id));
  });
  EXPECT_EQ(last().user_id, ada) << "who did it";
  write([&](Write& tx) {
    EXPECT_TRUE(artifacts::purge(tx, ada, id));
    EXPECT_FALSE(artifacts::purge(tx, ada, id));
  });
  EXPECT_THAT(actions_since(before), ElementsAre("artifact.delete", "artifact.undelete", "artifact.purge"));
  EXPECT_EQ(last().resource_type, "artifact");
  EXPECT_EQ(last().resource_id, id.value);
  EXPECT_EQ(details(), R"({"user_id":")" + to_string(ada) + "\"}") << "whose it was";
}

TEST_P(WorkRecords, ArtifactsThatWereDeletedLongAgoGoInOneEntry) {
  const auto ada = make_user("ada");
  write([&](Write& tx) {
    for (int i = 0; i < 3; ++i) artifacts::soft_delete(tx, ada, put_note(tx, ada));
  });
  const auto before = entries().size();
  clock().advance(std::chrono::hours(1));
  const auto moment = clock().now();
  write([&](Write& tx) {
    EXPECT_EQ(artifacts::purge_deleted(tx, moment), 3);
    EXPECT_EQ(artifacts::purge_deleted(tx, moment), 0);
  });
  EXPECT_THAT(actions_since(before), ElementsAre("artifact.purge"));
  EXPECT_FALSE(last().resource_id);
  EXPECT_EQ(details(), R"({"artifacts":3,"deleted_before":")" + to_iso8601(moment) + "\"}");
}

TEST_P(WorkRecords, WhatGoesWithItsJobIsToldByTheJobsEntry) {
  const auto ada = make_user("ada");
  const auto job = write([&](Write& tx) {
    const auto made = jobs::submit(tx, {.user_id = ada, .title = "Mine"}).id;
    artifacts::NewArtifact page;
    page.user_id = ada;
    page.job_id = made;
    page.source_url = "http://h/";
    page.blob.hash.bytes.fill(7);
    artifacts::put_artifact(tx, page);
    jobs::cancel(tx, made);
    return made;
  });
  const auto before = entries().size();
  write([&](Write& tx) { EXPECT_TRUE(jobs::purge(tx, job).done); });
  EXPECT_THAT(actions_since(before), ElementsAre("job.purge"));
  write([&](Write& tx) {
    put_note(tx, ada);
    EXPECT_EQ(artifacts::purge_of_user(tx, ada), 1);
  });
  EXPECT_THAT(actions_since(before), ElementsAre("job.purge")) << "the user's entry tells";
}

TEST_P(WorkRecords, SearchesThatArePurged) {
  const auto ada = make_user("ada");
  const auto before = entries().size();
  const auto search =
      as(ada, [&](Write& tx) { return searches::create(tx, {.user_id = ada, .query = "lithium", .sources = {"one"}}).id; });
  as(ada, [&](Write& tx) {
    EXPECT_TRUE(searches::purge(tx, search));
    EXPECT_FALSE(searches::purge(tx, search));
  });
  EXPECT_THAT(actions_since(before), ElementsAre("search.purge"));
  EXPECT_EQ(last().resource_id, search.value);
  EXPECT_EQ(details(), R"({"user_id":")" + to_string(ada) + "\"}");
}

TEST_P(WorkRecords, WorkItselfIsNotWrittenDown) {
  const auto ada = make_user("ada");
  const auto before = entries().size();
  write([&](Write& tx) {
    const auto queue = queue::open_queue(tx, "work");
    const auto job = jobs::submit(tx, {.user_id = ada, .title = "A job"}).id;
    const std::vector<queue::NewTask> tasks(3);
    jobs::add_tasks(tx, job, queue, tasks);
    for (const auto& task : queue::claim(tx, queue, {.worker = "test", .limit = 10})) {
      const queue::Finish done{task.id, task.lease_token};
      queue::finish_or_throw(tx, std::span(&done, 1));
    }
  });
  EXPECT_THAT(actions_since(before), IsEmpty()) << "that would slow it down";
}

TEST_P(WorkRecords, PlansAndWhoHasThem) {
  const auto ada = make_user("ada");
  const auto before = entries().size();
  write([&](Write& tx) {
    billing::create_plan(tx, {.id = "team \"x\"", .name = "Team", .compute_units_per_month = 10});
    billing::update_plan(tx, "team \"x\"", {.price_cents = 500});
  });
  EXPECT_EQ(details(), R"({"compute_units_per_month":10,"is_active":true,"max_concurrent_tasks":1,"plan_id":"team \"x\"",)"
                       R"("price_cents":500})");
  const auto given = write([&](Write& tx) { return billing::give_plan(tx, {ada, "starter", {}}); });
  EXPECT_EQ(last().resource_id, given.id.value);
  EXPECT_THAT(details(), HasSubstr(R"("plan_id":"starter")"));
  write([&](Write& tx) {
    EXPECT_TRUE(billing::end_subscription(tx, given.id));
    EXPECT_FALSE(billing::end_subscription(tx, given.id));
    billing::set_enforced(tx, true);
  });
  EXPECT_THAT(actions_since(before),
              ElementsAre("plan.create", "plan.update", "subscription.create", "subscription.change", "setting.set"));
}

TEST_P(WorkRecords, AreSwitchedOffTogether) {
  const auto ada = make_user("ada");
  switch_off();
  const auto before = entries().size();
  write([&](Write& tx) {
    billing::update_plan(tx, "starter", {.price_cents = 500});
    billing::give_plan(tx, {ada, "starter", {}});
    const auto job = jobs::submit(tx, {.user_id = ada, .title = "A job"}).id;
    jobs::cancel(tx, job);
    jobs::soft_delete(tx, job);
    artifacts::purge(tx, ada, put_note(tx, ada));
  });
  EXPECT_THAT(actions_since(before), IsEmpty());
}

}  // namespace
}  // namespace quarry::test
