#include "quarry/ops/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <thread>

#include "quarry/billing/plans.hpp"
#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_partitions.hpp"
#include "quarry/system/audit_verify.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using ops::SeedReport;
using testing::ElementsAre;
using testing::IsEmpty;

class Seed : public MigratedEngines {
 protected:
  SeedReport seed() {
    return db().write([](Write& tx) { return ops::seed(tx); });
  }
  /// Everything that seeding is about, but for ids and times.
  std::vector<std::string> state() {
    return db().read([](Read& tx) {
      std::vector<std::string> lines;
      for (const auto& one : system::list(tx, {}, {.limit = 1000}).rows)
        lines.push_back(one.key + '|' + std::string(boost::describe::enum_to_string(one.type, "?")) + '|' +
                        one.value.value_or("null") + '|' + one.description.value_or("null"));
      for (const auto& plan : billing::list_plans(tx, true))
        lines.push_back(plan.id + '|' + plan.name + '|' + std::to_string(plan.compute_units_per_month) + '|' +
                        std::to_string(plan.max_concurrent_tasks) + '|' + std::to_string(plan.price_cents) + '|' +
                        (plan.is_active ? "active" : "inactive"));
      return lines;
    });
  }
  void run(const std::string& sql) {
    db().write([&](Write& tx) { tx.session().run_script("test.change", sql); });
  }
  std::int64_t entries(const std::string& action) {
    return db().read([&](Read& tx) { return system::count_audit(tx, {.action = action}); });
  }
};
QUARRY_BOTH_ENGINES(Seed);

TEST_P(Seed, MakesTheTenSettingsOfTheRightTypes) {
  const auto report = seed();
  EXPECT_EQ(report.settings_made.size(), 10U);
  EXPECT_EQ(report.settings_kept, 0);
  EXPECT_THAT(report.plans_made, IsEmpty()) << "the first migration has made them";
  EXPECT_EQ(report.plans_kept, 4);
  db().read([](Read& tx) {
    EXPECT_EQ(system::get_integer(tx, "max_jobs_per_user"), 10);
    EXPECT_EQ(system::get_integer(tx, "max_artifacts_per_job"), 1000);
    EXPECT_EQ(system::get_integer(tx, "default_job_timeout"), 3600);
    EXPECT_EQ(system::get_boolean(tx, "enable_audit_logging"), true);
    EXPECT_EQ(system::get_integer(tx, "max_file_size_mb"), 50);
    EXPECT_EQ(system::get_integer(tx, "retention_days"), 90);
    EXPECT_EQ(system::get_boolean(tx, "enable_rate_limiting"), true);
    EXPECT_EQ(system::get_integer(tx, "rate_limit_requests"), 100);
    EXPECT_EQ(system::get_integer(tx, "rate_limit_window_minutes"), 15);
    for (const auto& one : system::list(tx).rows) {
      EXPECT_NO_THROW(system::check_value(one.key, one.type, one.value.value()));
      EXPECT_TRUE(one.description) << one.key;
    }
  });
}

// SL-10: the original stored the list with single quotes.
TEST_P(Seed, TheListOfFileTypesIsJson) {
  seed();
  const auto text = db().read([](Read& tx) { return system::get_json(tx, "allowed_file_types"); });
  ASSERT_TRUE(text);
  const auto types = boost::json::parse(text->text);
  ASSERT_TRUE(types.is_array());
  EXPECT_GT(types.get_array().size(), 3U);
  for (const auto& type : types.get_array()) EXPECT_TRUE(type.is_string());
}

// SL-11: the original did nothing as soon as any row was there.
TEST_P(Seed, TwiceIsAsOnce) {
  seed();
  const auto once = state();
  const auto chain = db().read([](Read& tx) { return system::audit_head(tx); });
  clock().advance(std::chrono::hours(24));
  const auto again = seed();
  EXPECT_THAT(again.settings_made, IsEmpty());
  EXPECT_EQ(again.settings_kept, 10);
  EXPECT_THAT(again.plans_made, IsEmpty());
  EXPECT_EQ(state(), once);
  EXPECT_EQ(db().read([](Read& tx) { return system::audit_head(tx); }), chain) << "nothing was made, nothing is recorded";
}

TEST_P(Seed, FillsWhatIsMissingFromATableThatWasFilledInPart) {
  const auto plans_of_the_migration = state();
  seed();
  const auto full = state();
  EXPECT_EQ(full.size(), plans_of_the_migration.size() + 10);
  for (const char* missing :
       {"key = 'allowed_file_types'", "key > 'e'", "key < 'n'", "key in ('retention_days', 'max_file_size_mb')", "1 = 1"}) {
    run(std::string("delete from system_config where ") + missing);
    seed();
    EXPECT_EQ(state(), full) << missing;
  }
  for (const char* missing : {"id = 'starter'", "price_cents > 0", "1 = 1"}) {
    run(std::string("delete from subscription_plans where ") + missing);
    EXPECT_FALSE(seed().plans_made.empty());
    EXPECT_EQ(state(), full) << missing;
  }
}

TEST_P(Seed, WhatAnOperatorChangedStays) {
  seed();
  db().write([](Write& tx) {
    system::set(tx, {.key = "retention_days", .value = "7", .description = std::optional<std::string>("ours")});
    system::unset(tx, "allowed_file_types");
    system::set(tx, {.key = "allowed_file_types", .type = system::SettingType::string, .value = "['pdf']"});
    billing::update_plan(tx, "starter", {.name = "Small", .price_cents = 2'500, .is_active = false});
  });
  const auto changed = state();
  const auto report = seed();
  EXPECT_EQ(report.settings_kept, 10);
  EXPECT_THAT(report.settings_of_other_type, ElementsAre("allowed_file_types"));
  EXPECT_EQ(state(), changed);
}

TEST_P(Seed, IsRecorded) {
  seed();
  EXPECT_EQ(entries("system.seed"), 1);
  EXPECT_EQ(entries("setting.set"), 10);
  run("delete from system_config where key = 'retention_days'");
  seed();
  const auto newest = db().read([](Read& tx) { return system::list_audit(tx, {.action = "system.seed"}).rows.at(0); });
  EXPECT_EQ(system::canonical_json(newest.details->text), R"({"plans":[],"settings":["retention_days"]})");
  EXPECT_TRUE(db().read([](Read& tx) { return system::verify_audit(tx).intact(); }));
}

TEST_P(Seed, ManyAtOnceMakeEachThingOnce) {
  run("delete from subscription_plans");
  constexpr std::size_t programs = 4;
  std::vector<SeedReport> reports(programs);
  {
    std::vector<std::jthread> threads;
    for (auto& report : reports) threads.emplace_back([&] { report = db().write([](Write& tx) { return ops::seed(tx); }); });
  }
  std::size_t settings = 0;
  std::size_t plans = 0;
  for (const auto& report : reports) {
    settings += report.settings_made.size();
    plans += report.plans_made.size();
  }
  EXPECT_EQ(settings, 10U);
  EXPECT_EQ(plans, 4U);
  EXPECT_EQ(entries("setting.set"), 10);
  EXPECT_EQ(entries("system.seed"), 1);
}

TEST_P(Seed, MakesTheAuditLogsMonthsBeforeItWritesIntoThem) {
  const auto report = seed();
  const auto partitions = db().read([](Read& tx) { return system::audit_partitions(tx); });
  if (is_sqlite()) {
    EXPECT_THAT(report.partitions_made, IsEmpty());
    return;
  }
  EXPECT_THAT(report.partitions_made,
              ElementsAre("audit_logs_2026_03", "audit_logs_2026_04", "audit_logs_2026_05", "audit_logs_2026_06"));
  ASSERT_EQ(partitions.size(), 5U);
  EXPECT_FALSE(partitions.front().is_empty);
  EXPECT_TRUE(partitions.back().is_empty) << "the default partition stays empty";
}

TEST_P(Seed, IsNotForTenants) {
  try {
    db().write({.actor = Actor::user(UserId{Uuid{{1}}})}, [](Write& tx) { return ops::seed(tx); });
    FAIL() << "a tenant has seeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::denied);
  }
  EXPECT_EQ(entries("setting.set"), 0);
}

}  // namespace
}  // namespace quarry::test
