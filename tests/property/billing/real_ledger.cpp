#include "property/billing/real_ledger.hpp"

#include <gtest/gtest.h>

#include "quarry/billing/usage.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

constexpr sql::Command<void(UserId, std::string, Instant)> insert_user{
    "test.insert_user", "insert into users (id, username, email, hashed_password, created_at) values ($1, $2, $2, '!', $3)"};

Answer answer_of(billing::LedgerOutcome outcome) {
  switch (outcome) {
    case billing::LedgerOutcome::recorded:
      return Answer::recorded;
    case billing::LedgerOutcome::repeated:
      return Answer::repeated;
    case billing::LedgerOutcome::exhausted:
      return Answer::exhausted;
    case billing::LedgerOutcome::already_ended:
      break;
  }
  return Answer::already_ended;
}

}  // namespace

RealLedger::RealLedger(TestDatabase& database) : database_(database) {
  database_.clock().set(TestDatabase::kStart);
  user_ = database_.db().write([](Write& tx) {
    const auto id = tx.new_id<UserId>();
    tx.run(insert_user, id, to_string(id), tx.now());
    return id;
  });
}

/// Ids are of the whole ledger; histories do not share them.
std::string RealLedger::id(unsigned number) const { return event_id_of(number) + " of " + to_string(user_); }

Answer RealLedger::record(const Step& step) {
  return answer_of(database_.db()
                       .write([&](Write& tx) {
                         switch (step.verb) {
                           case Verb::settle:
                             return billing::settle(tx, {id(step.id), id(step.reservation), units_of(step), over_of(step)});
                           case Verb::release:
                             return billing::release(tx, {id(step.id), id(step.reservation)});
                           case Verb::expire:
                             return billing::expire(tx, {id(step.id), id(step.reservation)});
                           case Verb::grant:
                             return billing::grant(tx, {user_, id(step.id), units_of(step)});
                           case Verb::adjust:
                             return billing::adjust(tx, {user_, id(step.id), units_of(step)});
                           default:
                             return billing::reserve(tx,
                                                     {.user_id = user_, .event_id = id(step.id), .units = units_of(step)});
                         }
                       })
                       .outcome);
}

void RealLedger::change_plan(const Step& step) {
  database_.db().write([&](Write& tx) {
    if (given_) billing::end_subscription(tx, *given_);
  });
  given_.reset();
  if (const auto plan = plan_of(step))
    given_ = database_.db().write([&](Write& tx) { return billing::give_plan(tx, {user_, *plan}).id; });
}

Answer RealLedger::run(const Step& step) {
  if (step.verb == Verb::advance) {
    database_.clock().advance(time_of(step));
    return Answer::done;
  }
  if (step.verb == Verb::change_plan) {
    change_plan(step);
    return Answer::done;
  }
  try {
    return record(step);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::conflict) return Answer::conflict;
    if (error.code() == ErrorCode::not_found) return Answer::not_found;
    throw;
  }
}

std::map<Instant, ModelPeriod> RealLedger::periods() {
  return database_.db().read([&](Read& tx) {
    EXPECT_TRUE(billing::check_usage(tx, user_).is_good());
    std::map<Instant, ModelPeriod> found;
    for (const auto& row : billing::periods_of(tx, user_, 1000))
      found[row.period_start] = {row.granted, row.used, row.reserved, 0};
    return found;
  });
}

}  // namespace quarry::test
