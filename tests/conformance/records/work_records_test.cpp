#include "conformance/records/records_test.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WorkRecords : public Records {};
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
  });
  EXPECT_THAT(actions_since(before), IsEmpty());
}

}  // namespace
}  // namespace quarry::test
