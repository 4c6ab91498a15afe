#pragma once
/// A database with users, and short words for what billing does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "quarry/billing/ledger.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/billing/usage.hpp"
#include "quarry/core/error.hpp"
#include "support/error_of.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

inline constexpr std::int64_t unit = billing::micro_per_unit;

class BillingTest : public MigratedEngines {
 protected:
  void SetUp() override { ada_ = make_user("ada"); }

  UserId make_user(const std::string& name, std::optional<Instant> created_at = {}) {
    const auto id = db().write([&](Write& tx) {
      const auto made = tx.new_id<UserId>();
      static constexpr sql::Command<void(UserId, std::string, std::string, Instant)> insert{
          "test.insert_user",
          "insert into users (id, username, email, hashed_password, created_at) values ($1, $2, $3, '!', $4)"};
      tx.run(insert, made, name, name + "@example.org", created_at.value_or(tx.now()));
      return made;
    });
    return id;
  }
  billing::Entry reserve(UserId user, const std::string& id, std::int64_t units = unit) {
    return db().write([&](Write& tx) { return billing::reserve(tx, {.user_id = user, .event_id = id, .units = units}); });
  }
  billing::Entry settle(const std::string& id, const std::string& reservation, std::int64_t units = unit,
                        billing::OverReserve over = billing::OverReserve::charge) {
    return db().write([&](Write& tx) {
      return billing::settle(tx, {.event_id = id, .reservation = reservation, .units = units, .over = over});
    });
  }
  billing::Entry release(const std::string& id, const std::string& reservation) {
    return db().write([&](Write& tx) { return billing::release(tx, {id, reservation}); });
  }
  billing::Entry grant(UserId user, const std::string& id, std::int64_t units) {
    return db().write([&](Write& tx) { return billing::grant(tx, {user, id, units}); });
  }
  billing::Subscription give(UserId user, const std::string& plan, std::optional<Instant> until = {}) {
    return db().write([&](Write& tx) { return billing::give_plan(tx, {user, plan, until}); });
  }
  billing::Usage usage(UserId user) {
    return db().read([&](Read& tx) { return billing::usage(tx, user, tx.now()); });
  }
  billing::Balance balance(UserId user) { return usage(user).balance; }
  std::string plan(UserId user) { return usage(user).entitlement.plan.id; }
  /// All counters are the sums of their events.
  void expect_sums() {
    const auto check = db().read([](Read& tx) { return billing::check_usage(tx); });
    EXPECT_TRUE(check.is_good()) << check.differences.size() << " periods differ";
  }
  void go_to(const char* time) { clock().set(parse_iso8601(time)); }
  std::int64_t count(const std::string& sql) {
    return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
  void run_sql(const std::string& sql) {
    db().write([&](Write& tx) { tx.session().run_script("test.sql", sql); });
  }

  /// Runs `body(i)` on as many threads, which begin together.
  static void at_once(int threads, const std::function<void(int)>& body) {
    std::atomic<int> waiting{threads};
    std::vector<std::jthread> crowd;
    for (int i = 0; i < threads; ++i)
      crowd.emplace_back([&, i] {
        for (--waiting; waiting > 0;) std::this_thread::yield();
        body(i);
      });
  }

  UserId ada_;
};

}  // namespace quarry::test
