#include "conformance/billing/inbox_test.hpp"
#include "quarry/ops/maintain.hpp"

namespace quarry::test {
namespace {

using billing::SubscriptionStatus;
using billing::WebhookStatus;

class MaintainMessages : public InboxTest {
 protected:
  void SetUp() override {
    InboxTest::SetUp();
    go_to("2026-02-11T00:00:00Z");
  }
  std::int64_t purge(bool dry_run = false) {
    const auto report = ops::maintain(db(), nullptr, {.dry_run = dry_run, .only = {"webhooks"}});
    const auto& figures = report.steps.at(0).figures;
    return figures.empty() ? 0 : figures[0].count;
  }
  std::int64_t stored() { return count("select count(*) from webhook_events"); }
};
QUARRY_BOTH_ENGINES(MaintainMessages);

TEST_P(MaintainMessages, TheNewestWordOnASubscriptionThatGoesOnStays) {
  take(ours("order_created"));
  take(ours("subscription_created"));
  take(ours("subscription_updated"));
  const auto before = subscription();
  clock().advance(std::chrono::hours(24 * 181));
  EXPECT_EQ(purge(true), 2);
  EXPECT_EQ(purge(), 2);
  EXPECT_EQ(purge(), 0);
  ASSERT_EQ(stored(), 1);
  // A renewal after a year names its subscription and says nothing of its plan.
  EXPECT_EQ(take(anonymous(ours("subscription_payment_success"))).status, WebhookStatus::processed);
  EXPECT_EQ(subscription()->plan_id, before->plan_id);
  EXPECT_EQ(subscription()->user_id, ada_);
}

// SX-6: who died between storing an event and applying it, or failed, is made up for.
TEST_P(MaintainMessages, WhatWaitsIsApplied) {
  const auto apply = [&](ops::MaintainOptions options = {}) {
    options.only = {"payments"};
    return ops::maintain(db(), nullptr, options).steps.at(0);
  };
  EXPECT_EQ(apply().outcome, ops::StepOutcome::nothing);
  put(ours("subscription_created"));
  EXPECT_EQ(apply({.dry_run = true}).figures.at(0).count, 1);
  EXPECT_EQ(plan(ada_), "free");
  EXPECT_EQ(apply().figures.at(0).count, 1);
  EXPECT_EQ(plan(ada_), "starter");
  const auto ring = system::KeyRing::generate("k1");
  db().write([&](Write& tx) { billing::ingest_trusted(tx, {.body = ours("subscription_updated")}, &ring); });
  const auto without = apply();
  EXPECT_EQ(without.outcome, ops::StepOutcome::nothing);
  EXPECT_THAT(without.message.value_or(""), testing::HasSubstr("1 wait for their keys"));
  EXPECT_EQ(apply({.keys = &ring}).outcome, ops::StepOutcome::done);
  EXPECT_EQ(plan(ada_), "professional");
}

// Whoever was erased may be spoken of again, by a call that came late.
TEST_P(MaintainMessages, WhatIsSaidOfWhoIsGoneDoesNotStay) {
  const auto late = take(event("subscription_created", UserId{parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057")}));
  EXPECT_EQ(late.status, WebhookStatus::parked);
  EXPECT_EQ(take(anonymous(ours("subscription_payment_failed"))).status, WebhookStatus::parked);
  EXPECT_EQ(purge(), 0);
  clock().advance(std::chrono::hours(24 * 181));
  EXPECT_EQ(purge(), 1);
  EXPECT_EQ(stored(), 1) << "what still may be applied";
}

TEST_P(MaintainMessages, OfWhatHasExpiredNothingStays) {
  take(ours("subscription_created"));
  take(ours("subscription_payment_success"));
  take(ours("subscription_expired"));
  take(in_test_mode(ours("subscription_created")));
  clock().advance(std::chrono::hours(24 * 181));
  EXPECT_EQ(purge(), 4);
  EXPECT_EQ(stored(), 0);
  take(ours("subscription_created"));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::expired) << "what is sent again brings nothing back";
}

}  // namespace
}  // namespace quarry::test
