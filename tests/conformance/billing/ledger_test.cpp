#include "conformance/billing/billing_test.hpp"

namespace quarry::test {
namespace {

using billing::LedgerOutcome;
using billing::OverReserve;
using billing::UsageKind;

class BillingLedger : public BillingTest {
 protected:
  billing::Entry expire(const std::string& id, const std::string& reservation) {
    return db().write([&](Write& tx) { return billing::expire(tx, {id, reservation}); });
  }
  billing::Entry adjust(const std::string& id, std::int64_t units) {
    return db().write([&](Write& tx) { return billing::adjust(tx, {ada_, id, units}); });
  }
  void expect_balance(std::int64_t granted, std::int64_t used, std::int64_t reserved) {
    const auto now = balance(ada_);
    EXPECT_EQ(now.granted, granted * unit);
    EXPECT_EQ(now.used, used * unit);
    EXPECT_EQ(now.reserved, reserved * unit);
    expect_sums();
  }
};
QUARRY_BOTH_ENGINES(BillingLedger);

// SX-1: units were charged on create, on completion and on retry, also for failures, and nothing was given back.
TEST_P(BillingLedger, SuccessCostsAndFailureDoesNot) {
  EXPECT_EQ(reserve(ada_, "success").outcome, LedgerOutcome::recorded);
  EXPECT_EQ(reserve(ada_, "failure").outcome, LedgerOutcome::recorded);
  EXPECT_EQ(reserve(ada_, "crash").outcome, LedgerOutcome::recorded);
  EXPECT_EQ(reserve(ada_, "running").outcome, LedgerOutcome::recorded);
  expect_balance(100, 0, 4);
  EXPECT_EQ(settle("success done", "success").outcome, LedgerOutcome::recorded);
  EXPECT_EQ(release("failure undone", "failure").outcome, LedgerOutcome::recorded);
  EXPECT_EQ(expire("crash noticed", "crash").outcome, LedgerOutcome::recorded);
  expect_balance(100, 1, 1);
}

// SX-5: what came again counted again.
TEST_P(BillingLedger, TheSameEventTenTimesIsOneEvent) {
  for (int i = 0; i < 10; ++i) {
    const auto wanted = i == 0 ? LedgerOutcome::recorded : LedgerOutcome::repeated;
    EXPECT_EQ(reserve(ada_, "r").outcome, wanted);
    EXPECT_EQ(settle("s", "r").outcome, wanted);
    EXPECT_EQ(grant(ada_, "g", 5 * unit).outcome, wanted);
    EXPECT_EQ(adjust("a", -2 * unit).outcome, wanted);
  }
  expect_balance(103, 1, 0);
  EXPECT_EQ(count("select count(*) from usage_events"), 5) << "and the allowance";
}

TEST_P(BillingLedger, TheSameIdWithOtherContentIsAConflict) {
  reserve(ada_, "r");
  EXPECT_EQ(code_of([&] { reserve(ada_, "r", 2 * unit); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { reserve(make_user("bob"), "r"); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { grant(ada_, "r", unit); }), ErrorCode::conflict);
  settle("s", "r");
  EXPECT_EQ(code_of([&] { settle("s", "r", 2 * unit); }), ErrorCode::conflict);
  reserve(ada_, "q");
  EXPECT_EQ(code_of([&] { settle("s", "q"); }), ErrorCode::conflict);
  expect_balance(100, 1, 1);
}

TEST_P(BillingLedger, AReservationEndsOnce) {
  reserve(ada_, "r");
  EXPECT_EQ(release("first", "r").outcome, LedgerOutcome::recorded);
  const auto late = settle("second", "r");
  EXPECT_EQ(late.outcome, LedgerOutcome::already_ended);
  EXPECT_EQ(late.event->event_id, "first");
  EXPECT_EQ(expire("third", "r").outcome, LedgerOutcome::already_ended);
  EXPECT_EQ(release("first", "r").outcome, LedgerOutcome::repeated);
  expect_balance(100, 0, 0);
  EXPECT_EQ(code_of([&] { settle("fourth", "nothing"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { settle("fourth", "first"); }), ErrorCode::not_found) << "not a reservation";
}

TEST_P(BillingLedger, NotAUnitMoreThanThereIs) {
  EXPECT_EQ(reserve(ada_, "most", 99 * unit).outcome, LedgerOutcome::recorded);
  EXPECT_EQ(reserve(ada_, "too much", 2 * unit).outcome, LedgerOutcome::exhausted);
  EXPECT_EQ(reserve(ada_, "the last", 1 * unit).outcome, LedgerOutcome::recorded);
  const auto none = reserve(ada_, "one more", 1);
  EXPECT_EQ(none.outcome, LedgerOutcome::exhausted);
  EXPECT_FALSE(none.event);
  EXPECT_EQ(none.balance.remaining(), 0);
  EXPECT_EQ(reserve(ada_, "the last", 1 * unit).outcome, LedgerOutcome::repeated) << "also when nothing is left";
  release("given back", "most");
  EXPECT_EQ(reserve(ada_, "too much", 2 * unit).outcome, LedgerOutcome::recorded) << "a refusal leaves no trace";
  expect_balance(100, 0, 3);
}

// SX-2: a balance too short at the end was ignored, and the work was free.
TEST_P(BillingLedger, WorkThatCostMoreThanItReserved) {
  reserve(ada_, "long");
  const auto charged = settle("long done", "long", 150 * unit);
  EXPECT_EQ(charged.event->units, 150 * unit);
  EXPECT_EQ(charged.balance.remaining(), -50 * unit);
  EXPECT_EQ(reserve(ada_, "next", 1).outcome, LedgerOutcome::exhausted);
  grant(ada_, "present", 60 * unit);
  reserve(ada_, "capped", 2 * unit);
  EXPECT_EQ(settle("capped done", "capped", 9 * unit, OverReserve::cap).event->units, 2 * unit);
  reserve(ada_, "short", 5 * unit);
  EXPECT_EQ(settle("short done", "short", 1 * unit, OverReserve::cap).event->units, 1 * unit);
  expect_balance(160, 153, 0);
}

TEST_P(BillingLedger, BoundsAreTold) {
  EXPECT_EQ(code_of([&] { reserve(ada_, "", unit); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { reserve(ada_, std::string(256, 'x'), unit); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { reserve(ada_, "r", 0); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { reserve(ada_, "r", -1); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { reserve(ada_, "r", billing::micro_units_max + 1); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { reserve(UserId{}, "r"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { grant(ada_, "g", 0); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { adjust("a", 0); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { adjust("a", std::numeric_limits<std::int64_t>::min()); }), ErrorCode::invalid);
  EXPECT_EQ(count("select count(*) from usage_periods"), 0) << "nothing of it left a trace";
}

// SX-4: the ledger is there, and can be told again from its events.
TEST_P(BillingLedger, IsListedAndOnlyGrows) {
  reserve(ada_, "before");
  clock().advance(std::chrono::seconds(1));
  reserve(ada_, "r");
  clock().advance(std::chrono::seconds(1));
  settle("s", "r");
  const auto events = db().read([&](Read& tx) { return billing::list_usage_events(tx, {.user_id = ada_}).rows; });
  ASSERT_EQ(events.size(), 4U) << "and the allowance";
  EXPECT_EQ(events[0].kind, UsageKind::settle);
  EXPECT_EQ(events[0].reservation_id, events[1].id);
  EXPECT_EQ(events[1].event_id, "r");
  EXPECT_EQ(db().read([&](Read& tx) { return billing::find_usage_event(tx, "s"); })->units, unit);
  EXPECT_TRUE(code_of([&] { run_sql("update usage_events set units = 0"); }));
  EXPECT_TRUE(code_of([&] { run_sql("delete from usage_events"); }));
}

TEST_P(BillingLedger, KeepsToWhatTheActorSees) {
  const auto bob = make_user("bob");
  reserve(ada_, "r");
  const WriteOptions as_bob{.actor = Actor::user(bob)};
  const auto refused = [&](auto&& body) { return code_of([&] { db().write(as_bob, body); }); };
  EXPECT_EQ(refused([&](Write& tx) { billing::reserve(tx, {.user_id = ada_, .event_id = "b", .units = unit}); }),
            ErrorCode::not_found);
  EXPECT_EQ(refused([&](Write& tx) { billing::settle(tx, {.event_id = "b", .reservation = "r", .units = unit}); }),
            ErrorCode::not_found);
  EXPECT_EQ(refused([&](Write& tx) { billing::grant(tx, {bob, "b", unit}); }), ErrorCode::denied);
  EXPECT_EQ(refused([&](Write& tx) { billing::adjust(tx, {bob, "b", unit}); }), ErrorCode::denied);
  const ReadOptions reads_as_bob{.actor = Actor::user(bob)};
  EXPECT_TRUE(db().read(reads_as_bob, [](Read& tx) { return billing::list_usage_events(tx).rows; }).empty());
  EXPECT_TRUE(db().read(reads_as_bob, [&](Read& tx) { return billing::periods_of(tx, ada_); }).empty());
  EXPECT_FALSE(db().read(reads_as_bob, [](Read& tx) { return billing::find_usage_event(tx, "r"); }));
  const auto own =
      db().write(as_bob, [&](Write& tx) { return billing::reserve(tx, {.user_id = bob, .event_id = "b", .units = unit}); });
  EXPECT_EQ(own.outcome, LedgerOutcome::recorded) << "a tenant may spend what is theirs";
}

TEST_P(BillingLedger, TheCheckNamesWhatDiffers) {
  const auto bob = make_user("bob");
  reserve(ada_, "r");
  settle("s", "r");
  reserve(bob, "b");
  expect_sums();
  run_sql("update usage_periods set used = used + 1 where reserved = 0");
  const auto check = db().read([](Read& tx) { return billing::check_usage(tx); });
  EXPECT_EQ(check.periods, 2);
  ASSERT_EQ(check.differences.size(), 1U);
  EXPECT_EQ(check.differences[0].user_id, ada_);
  EXPECT_EQ(check.differences[0].used, unit + 1);
  EXPECT_EQ(check.differences[0].used_by_events, unit);
  EXPECT_TRUE(db().read([&](Read& tx) { return billing::check_usage(tx, bob); }).is_good());
  EXPECT_FALSE(db().read([&](Read& tx) { return billing::check_usage(tx, ada_); }).is_good());
}

TEST_P(BillingLedger, TheCheckFindsEventsThatWereAltered) {
  reserve(ada_, "r");
  settle("s", "r");
  reserve(ada_, "r2");
  db().write([&](Write& tx) { billing::release(tx, {.event_id = "back", .reservation = "r2"}); });
  reserve(ada_, "r3");
  db().write([&](Write& tx) {
    billing::settle(tx, {.event_id = "capped", .reservation = "r3", .units = 5 * unit, .over = billing::OverReserve::cap});
    billing::grant(tx, {.user_id = ada_, .event_id = "g", .units = unit});
    billing::adjust(tx, {.user_id = ada_, .event_id = "a", .units = -unit});
  });
  const auto check = [&] { return db().read([](Read& tx) { return billing::check_usage(tx); }); };
  const auto whole = check();
  EXPECT_TRUE(whole.is_good());
  EXPECT_EQ(whole.events, 9) << "with the period's allowance";
  run_sql(db().engine() == Engine::sqlite ? "drop trigger usage_events_no_update"
                                          : "alter table usage_events disable trigger usage_events_append_only");
  // The counters are changed along: their sums are right, and the event is not what was said.
  run_sql("update usage_events set units = units + 1 where event_id = 'g'");
  run_sql("update usage_periods set granted = granted + 1");
  EXPECT_TRUE(check().differences.empty());
  EXPECT_THAT(check().altered_events, testing::ElementsAre("g"));
  run_sql("update usage_events set units = units + 1 where kind = 'grant' and event_id <> 'g'");
  run_sql("update usage_events set units = units - 1 where event_id = 's'");
  EXPECT_EQ(check().altered, 3) << "the allowance and the settle, too";
  EXPECT_FALSE(check().is_good());
}

TEST_P(BillingLedger, TheCheckLooksAtEveryColumn) {
  reserve(ada_, "r", 3 * unit);
  settle("capped", "r", 5 * unit, OverReserve::cap);
  const auto bob = make_user("bob");
  reserve(bob, "b");
  run_sql(is_sqlite() ? "drop trigger usage_events_no_update"
                      : "alter table usage_events disable trigger usage_events_append_only");
  const std::string any_id = is_sqlite() ? "randomblob(16)" : "gen_random_uuid()";
  const std::string later = is_sqlite() ? "1" : "interval '1 microsecond'";
  const std::vector<std::string> changes{
      "id = " + any_id,     "event_id = 'another'", "user_id = (select user_id from usage_events where event_id = 'b')",
      "kind = 'release'",   "units = units - 1",    "reservation_id = (select id from usage_events where event_id = 'b')",
      "job_id = " + any_id, "task_id = 7",          "created_at = created_at + " + later};
  for (const auto& change : changes) {
    struct Undo {};
    std::int64_t altered = 0;
    try {
      db().write({.alone = true}, [&](Write& tx) {
        tx.session().run_script("test.alter", "update usage_events set " + change + " where event_id = 'capped'");
        altered = billing::check_usage(tx).altered;
        throw Undo{};
      });
    } catch (const Undo&) {
    }
    EXPECT_EQ(altered, 1) << change;
  }
  expect_sums();
}

// On SQLite a row in the way of INSERT OR REPLACE is deleted past the trigger that refuses deletions.
TEST_P(BillingLedger, IsNotReplaced) {
  if (is_postgres()) GTEST_SKIP() << "it has no INSERT OR REPLACE";
  grant(ada_, "g", unit);
  reserve(ada_, "r");
  settle("s", "r");
  const std::string columns =
      "user_id, kind, units, period_start, reservation_id, job_id, task_id, payload_hash, created_at";
  const auto replace = [&](const std::string& verb, const std::string& first, const std::string& which) {
    return code_of([&] {
      run_sql(verb + " into usage_events (id, event_id, " + columns + ") select " + first + ", " + columns +
              " from usage_events where event_id = '" + which + "'");
    });
  };
  for (const auto* verb : {"insert or replace", "replace", "insert or ignore"}) {
    EXPECT_EQ(replace(verb, "id, 'zz'", "g"), ErrorCode::constraint) << verb;
    EXPECT_EQ(replace(verb, "randomblob(16), event_id", "g"), ErrorCode::constraint) << verb;
    EXPECT_EQ(replace(verb, "randomblob(16), 'zz'", "s"), ErrorCode::constraint) << verb << ": its reservation has ended";
  }
  EXPECT_EQ(grant(ada_, "g", unit).outcome, LedgerOutcome::repeated);
  EXPECT_EQ(count("select count(*) from usage_events"), 4);
  expect_sums();
}

}  // namespace
}  // namespace quarry::test
