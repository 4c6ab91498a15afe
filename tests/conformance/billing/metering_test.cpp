#include "conformance/billing/metering_test.hpp"

#include "quarry/queue/hosts.hpp"

namespace quarry::test {
namespace {

using queue::TaskStatus;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

class Metering : public MeteringTest {};
QUARRY_BOTH_ENGINES(Metering);

TEST_P(Metering, IsOffUntilItIsSwitchedOn) {
  const auto is_on = [&] { return db().read([](Read& tx) { return billing::is_enforced(tx); }); };
  EXPECT_FALSE(is_on());
  db().write([](Write& tx) { billing::set_enforced(tx, true); });
  EXPECT_TRUE(is_on());
  db().write([](Write& tx) { billing::set_enforced(tx, false); });
  EXPECT_FALSE(is_on());
  EXPECT_EQ(code_of([&] { db().write({.actor = Actor::user(ada_)}, [](Write& tx) { billing::set_enforced(tx, false); }); }),
            ErrorCode::denied);
}

TEST_P(Metering, ARunCostsItsMinutesRoundedUp) {
  add(ada_, 1);
  const auto tasks = claim();
  ASSERT_EQ(tasks.size(), 1U);
  expect_units(ada_, 0, 1);
  clock().advance(seconds(90));
  EXPECT_TRUE(finish(tasks[0]).ids.empty());
  expect_units(ada_, 2, 0);
  EXPECT_EQ(finish(tasks[0]).ids.size(), 1U) << "refused";
  expect_units(ada_, 2, 0);
}

TEST_P(Metering, TasksOfNobodyCostNothingAndAreNotLimited) {
  add({}, 5);
  EXPECT_EQ(claim().size(), 5U);
  EXPECT_EQ(count("select count(*) from usage_events"), 0);
}

// SX-3: max_concurrent_tasks was never enforced.
TEST_P(Metering, NoMoreRunAtOnceThanThePlanAllows) {
  const auto ids = add(ada_, 3);
  auto first = claim();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(counts(TaskStatus::scheduled), 2);
  const auto held = task(first[0].id == ids[0] ? ids[1] : ids[0]);
  EXPECT_THAT(held.error_message.value_or(""), HasSubstr("as many tasks run as the plan 'free' allows at once: 1"));
  EXPECT_GT(held.scheduled_at, clock().now());
  EXPECT_EQ(held.retry_count, 0);
  EXPECT_FALSE(held.started_at);
  const auto why = db().read([&](Read& tx) { return queue::explain(tx, held.id, tx.now()); });
  EXPECT_EQ(why.findings.at(0).reason, queue::Reason::kept_back);
  clock().advance(seconds(2));
  EXPECT_TRUE(claim().empty());
  finish(first[0]);
  clock().advance(seconds(2));
  EXPECT_EQ(claim().size(), 1U);
  expect_units(ada_, 1, 1);
}

TEST_P(Metering, ALargerPlanLetsThemGoAtOnce) {
  add(ada_, 5);
  EXPECT_EQ(claim().size(), 1U);
  give(ada_, "starter");
  EXPECT_EQ(claim().size(), 2U) << "3 in all";
}

TEST_P(Metering, WhatIsKeptBackDoesNotHoldUpTheRest) {
  const auto bob = make_user("bob");
  give(bob, "starter");
  add(ada_, 300);
  clock().advance(seconds(1));
  add(bob, 5);
  add({}, 2);
  std::map<std::optional<UserId>, int> by_user;
  for (const auto& got : claim(10)) ++by_user[got.user_id];
  EXPECT_EQ(by_user[ada_], 1);
  EXPECT_EQ(by_user[bob], 3);
  EXPECT_EQ(by_user[std::nullopt], 2);
}

TEST_P(Metering, AHostLosesNoTurnByATaskThatIsKeptBack) {
  db().write([](Write& tx) { queue::configure_host(tx, "example.org", {.delay_ms = 60'000}); });
  add(ada_, 1);
  EXPECT_EQ(claim().size(), 1U);
  add(ada_, 1, {.host_key = "example.org"});
  EXPECT_TRUE(claim().empty());
  const auto bob = make_user("bob");
  add(bob, 1, {.host_key = "example.org"});
  EXPECT_EQ(claim().size(), 1U) << "the host was not asked yet";
}

// SX-1: failures were charged, and so was every retry.
TEST_P(Metering, FailuresCostNothing) {
  add(ada_, 1, {.max_retries = 1});
  const auto first = claim();
  clock().advance(std::chrono::minutes(5));
  EXPECT_TRUE(fail(first.at(0)).ids.empty());
  expect_units(ada_, 0, 0);
  clock().advance(hours(1));
  const auto second = claim();
  ASSERT_EQ(second.size(), 1U);
  expect_units(ada_, 0, 1);
  EXPECT_EQ(fail(first[0]).ids.size(), 1U) << "the old lease";
  expect_units(ada_, 0, 1);
  clock().advance(seconds(5));
  finish(second[0]);
  expect_units(ada_, 1, 0);
  EXPECT_EQ(count("select count(*) from usage_events where kind = 'reserve'"), 2);
  EXPECT_EQ(count("select count(*) from usage_events where kind = 'release'"), 1);
}

TEST_P(Metering, GivenBackAndDeadCostNothing) {
  add(ada_, 1, {.max_retries = 0});
  give_back(claim().at(0));
  expect_units(ada_, 0, 0);
  EXPECT_TRUE(fail(claim().at(0)).ids.empty());
  EXPECT_EQ(counts(TaskStatus::dead), 1);
  expect_units(ada_, 0, 0);
}

TEST_P(Metering, WhatItsUserCancelledUnderWayCostsWhatItRan) {
  const auto id = add(ada_, 1).at(0);
  const auto got = claim();
  db().write([&](Write& tx) { queue::cancel_task(tx, id); });
  clock().advance(std::chrono::minutes(3));
  fail(got.at(0));
  EXPECT_EQ(task(id).status, TaskStatus::cancelled);
  expect_units(ada_, 3, 0);
}

TEST_P(Metering, TheReservationExpiresWithTheLease) {
  add(ada_, 1);
  const auto lost = claim();
  clock().advance(hours(21));
  EXPECT_EQ(db().write([](Write& tx) { return billing::reap_expired(tx); }), 1);
  expect_units(ada_, 0, 0);
  EXPECT_EQ(count("select count(*) from usage_events where kind = 'expire'"), 1);
  const auto again = claim();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(finish(lost.at(0)).ids.size(), 1U) << "who comes late is refused";
  expect_units(ada_, 0, 1);
  finish(again[0]);
  expect_units(ada_, 1, 0);
}

TEST_P(Metering, AClaimTakesBackWhatDeadWorkersHeld) {
  add(ada_, 1);
  claim();
  clock().advance(hours(21));
  EXPECT_EQ(claim().size(), 1U);
  expect_units(ada_, 0, 1);
}

TEST_P(Metering, AnUnmeteredEndIsFound) {
  add(ada_, 2);
  const auto got = claim();
  const queue::Finish done{got.at(0).id, got[0].lease_token};
  db().write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });
  expect_units(ada_, 0, 1);
  clock().advance(seconds(2));
  EXPECT_EQ(claim().size(), 1U);
  EXPECT_EQ(db().write([](Write& tx) { return billing::expire_lost(tx); }), 1) << "the other one is held";
  expect_units(ada_, 0, 1);
  EXPECT_EQ(db().write([](Write& tx) { return billing::expire_lost(tx); }), 0);
}

TEST_P(Metering, NothingLeftMeansTheNextPeriod) {
  db().write([&](Write& tx) { billing::adjust(tx, {ada_, "all but two", -98 * unit}); });
  const auto ids = add(ada_, 4);
  for (int i = 0; i < 2; ++i) {
    const auto got = claim();
    ASSERT_EQ(got.size(), 1U);
    finish(got[0]);
    clock().advance(seconds(3));
  }
  EXPECT_TRUE(claim().empty());
  std::int64_t exhausted = 0;
  for (const auto id : ids)
    exhausted += task(id).error_message.value_or("").find("the next period begins at 2026-04-01") != std::string::npos;
  EXPECT_EQ(exhausted, 2);
  clock().advance(hours(2));
  EXPECT_TRUE(claim().empty());
  go_to("2026-04-01T00:00:00Z");
  EXPECT_EQ(claim().size(), 1U);
}

TEST_P(Metering, AGrantLetsThemGoAtOnce) {
  db().write([&](Write& tx) { billing::adjust(tx, {ada_, "all", -100 * unit}); });
  add(ada_, 2);
  EXPECT_TRUE(claim().empty());
  grant(ada_, "present", unit);
  const auto got = claim();
  EXPECT_EQ(got.size(), 1U);
  finish(got.at(0));
  EXPECT_EQ(balance(ada_).remaining(), 0);
}

TEST_P(Metering, LongerThanReservedIsChargedOrCapped) {
  add(ada_, 2);
  auto got = claim();
  clock().advance(std::chrono::minutes(10));
  const queue::Finish first{got.at(0).id, got[0].lease_token};
  db().write([&](Write& tx) { billing::finish(tx, std::span(&first, 1), {.over = billing::OverReserve::cap}); });
  expect_units(ada_, 1, 0);
  got = claim();
  clock().advance(std::chrono::minutes(150));
  finish(got.at(0));
  expect_units(ada_, 151, 0);
  EXPECT_EQ(balance(ada_).remaining(), -51 * unit) << "and the next waits for the next period";
  add(ada_, 1);
  EXPECT_TRUE(claim().empty());
}

TEST_P(Metering, KeptBackTasksAreCancelledAndPausedWithTheRest) {
  const auto ids = add(ada_, 4);
  claim();
  for (const auto id : ids) db().write([&](Write& tx) { queue::cancel_task(tx, id); });
  EXPECT_EQ(counts(TaskStatus::cancelled), 3);
}

TEST_P(Metering, AUnitOfWorkThatFailsLeavesNoTrace) {
  add(ada_, 1);
  const auto got = claim();
  const queue::Finish done{got.at(0).id, got[0].lease_token};
  EXPECT_THROW(db().write([&](Write& tx) {
    billing::finish_or_throw(tx, std::span(&done, 1));
    throw std::runtime_error("the disk is full");
  }),
               std::runtime_error);
  expect_units(ada_, 0, 1);
  finish(got[0]);
  expect_units(ada_, 1, 0);
}

}  // namespace
}  // namespace quarry::test
