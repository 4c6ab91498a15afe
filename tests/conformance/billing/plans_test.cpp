#include "conformance/billing/billing_test.hpp"

namespace quarry::test {
namespace {

using billing::SubscriptionStatus;
using testing::ElementsAre;

class BillingPlans : public BillingTest {
 protected:
  std::vector<std::string> ids(bool with_inactive = false) {
    std::vector<std::string> found;
    for (const auto& plan : db().read([&](Read& tx) { return billing::list_plans(tx, with_inactive); }))
      found.push_back(plan.id);
    return found;
  }
  billing::Plan update(const char* id, const billing::PlanChanges& changes) {
    return db().write([&](Write& tx) { return billing::update_plan(tx, id, changes); });
  }
};
QUARRY_BOTH_ENGINES(BillingPlans);

TEST_P(BillingPlans, TheFourOfTheDocumentsAreThere) {
  EXPECT_THAT(ids(), ElementsAre("free", "starter", "professional", "enterprise"));
  const auto plan = db().read([](Read& tx) { return billing::get_plan(tx, "professional"); });
  EXPECT_EQ(plan.compute_units_per_month, 5000);
  EXPECT_EQ(plan.max_concurrent_tasks, 10);
  EXPECT_EQ(plan.price_cents, 4900);
  EXPECT_EQ(code_of([&] { db().read([](Read& tx) { return billing::get_plan(tx, "gold"); }); }), ErrorCode::not_found);
}

TEST_P(BillingPlans, AreMadeChangedAndTakenFromSale) {
  db().write([](Write& tx) { billing::create_plan(tx, {"gold", "Gold", 70'000, 100, 19'900, "77"}); });
  EXPECT_EQ(db().read([](Read& tx) { return billing::find_plan_of_variant(tx, "77"); })->id, "gold");
  EXPECT_EQ(update("gold", {.name = "Golden", .provider_variant_id = std::optional<std::string>{}}).name, "Golden");
  EXPECT_FALSE(db().read([](Read& tx) { return billing::find_plan_of_variant(tx, "77"); }));
  EXPECT_EQ(update("gold", {.is_active = false}).compute_units_per_month, 70'000);
  EXPECT_EQ(ids().size(), 4U);
  EXPECT_EQ(ids(true).size(), 5U);
  EXPECT_EQ(code_of([&] { update("free", {.is_active = false}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update("gold", {.max_concurrent_tasks = 0}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update("gold", {.compute_units_per_month = -1}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update("lead", {}); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { db().write([](Write& tx) {
                            billing::create_plan(tx, {"free", "Free", 1, 1, 0});
                          }); }),
            ErrorCode::constraint);
}

TEST_P(BillingPlans, AreForAdminsToChange) {
  const WriteOptions as_ada{.actor = Actor::user(ada_)};
  EXPECT_EQ(code_of([&] { db().write(as_ada, [](Write& tx) { billing::update_plan(tx, "free", {.price_cents = 1}); }); }),
            ErrorCode::denied);
  EXPECT_EQ(code_of([&] { db().write(as_ada, [&](Write& tx) {
                            billing::give_plan(tx, {ada_, "enterprise"});
                          }); }),
            ErrorCode::denied);
  EXPECT_EQ(db().read({.actor = Actor::user(ada_)}, [](Read& tx) { return billing::list_plans(tx).size(); }), 4U);
}

TEST_P(BillingPlans, WhoHasSubscribedToNothingHasTheFreeOne) {
  const auto found = usage(ada_);
  EXPECT_EQ(found.entitlement.plan.id, "free");
  EXPECT_FALSE(found.entitlement.subscription);
  EXPECT_FALSE(found.period_is_open);
  EXPECT_EQ(found.balance.granted, 100 * unit);
  EXPECT_EQ(code_of([&] { usage(UserId{}); }), ErrorCode::not_found);
}

TEST_P(BillingPlans, TheStatusDecidesWhetherAPlanHolds) {
  const auto now = TestDatabase::kStart;
  billing::Subscription s;
  s.current_period_end = now + std::chrono::hours(24);
  const auto holds = [&](SubscriptionStatus status) {
    s.status = status;
    return billing::holds(s, now);
  };
  EXPECT_TRUE(holds(SubscriptionStatus::on_trial));
  EXPECT_TRUE(holds(SubscriptionStatus::active));
  EXPECT_TRUE(holds(SubscriptionStatus::past_due));
  EXPECT_FALSE(holds(SubscriptionStatus::paused));
  EXPECT_FALSE(holds(SubscriptionStatus::unpaid));
  EXPECT_FALSE(holds(SubscriptionStatus::expired));
  EXPECT_TRUE(holds(SubscriptionStatus::cancelled)) << "until the period that was paid for ends";
  s.ends_at = now;
  EXPECT_FALSE(holds(SubscriptionStatus::cancelled)) << "the end itself is out";
  s.ends_at = now + std::chrono::microseconds(1);
  EXPECT_TRUE(holds(SubscriptionStatus::cancelled));
}

// SX-9: cancelled subscriptions showed as free at once, although the grace runs to the period's end.
TEST_P(BillingPlans, ACancelledOneKeepsItsPlanUntilItEnds) {
  const auto end = TestDatabase::kStart + std::chrono::hours(24 * 10);
  give(ada_, "starter", end);
  EXPECT_EQ(plan(ada_), "starter");
  clock().set(end - std::chrono::microseconds(1));
  EXPECT_EQ(plan(ada_), "starter");
  clock().set(end);
  EXPECT_EQ(plan(ada_), "free");
}

// SX-13: paying never makes an admin, and every plan maps to its own limits.
TEST_P(BillingPlans, TheLargestThatHoldsCounts) {
  give(ada_, "enterprise", TestDatabase::kStart + std::chrono::hours(1));
  const auto given = give(ada_, "starter");
  EXPECT_EQ(plan(ada_), "enterprise");
  EXPECT_EQ(count("select count(*) from users where role = 'admin'"), 0);
  clock().advance(std::chrono::hours(2));
  EXPECT_EQ(plan(ada_), "starter");
  EXPECT_TRUE(db().write([&](Write& tx) { return billing::end_subscription(tx, given.id); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return billing::end_subscription(tx, given.id); }));
  EXPECT_EQ(plan(ada_), "free");
}

TEST_P(BillingPlans, SubscriptionsAreFoundAndListed) {
  const auto bob = make_user("bob");
  const auto given = give(ada_, "starter");
  give(bob, "professional");
  const auto list = [&](billing::SubscriptionFilter filter) {
    return db().read([&](Read& tx) { return billing::list_subscriptions(tx, filter).rows.size(); });
  };
  EXPECT_EQ(list({}), 2U);
  EXPECT_EQ(list({.user_id = ada_}), 1U);
  EXPECT_EQ(list({.plan_id = "professional"}), 1U);
  EXPECT_EQ(list({.status = SubscriptionStatus::expired}), 0U);
  const ReadOptions as_bob{.actor = Actor::user(bob)};
  EXPECT_FALSE(db().read(as_bob, [&](Read& tx) { return billing::find_subscription(tx, given.id); }));
  EXPECT_EQ(db().read(as_bob, [](Read& tx) { return billing::list_subscriptions(tx).rows.size(); }), 1U);
  EXPECT_EQ(code_of([&] { db().read(as_bob, [&](Read& tx) { return billing::usage(tx, ada_, tx.now()); }); }),
            ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { give(ada_, "gold"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { give(UserId{}, "starter"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { give(ada_, "starter", TestDatabase::kStart); }), ErrorCode::invalid);
}

}  // namespace
}  // namespace quarry::test
