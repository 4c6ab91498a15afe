#include "quarry/ops/seed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "ops/seed_turn.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_partitions.hpp"

namespace quarry::ops {
namespace {

using system::SettingType;

constexpr std::array<DefaultSetting, 10> settings{{
    {"allowed_file_types", SettingType::json, R"(["pdf","html","txt","json","csv","xml","doc","docx","jpg","png"])",
     "File types that may be stored as artifacts"},
    {"default_job_timeout", SettingType::integer, "3600", "Seconds after which a job is given up"},
    {"enable_audit_logging", SettingType::boolean, "true", "Whether clients of the library record what their users do"},
    {"enable_rate_limiting", SettingType::boolean, "true", "Whether API calls are limited"},
    {"max_artifacts_per_job", SettingType::integer, "1000", "Artifacts that one job may store"},
    {"max_file_size_mb", SettingType::integer, "50", "Size in MB up to which a file is stored"},
    {"max_jobs_per_user", SettingType::integer, "10", "Open jobs that one user may have"},
    {"rate_limit_requests", SettingType::integer, "100", "API calls that a user may make within the window"},
    {"rate_limit_window_minutes", SettingType::integer, "15", "The window of the API's limit in minutes"},
    {"retention_days", SettingType::integer, "90", "Days after which ended jobs may be cleaned up"},
}};

/// As the first migration makes them.
const std::array<billing::NewPlan, 4>& plans() {
  static const std::array<billing::NewPlan, 4> all{{
      {.id = "free", .name = "Free", .compute_units_per_month = 100, .max_concurrent_tasks = 1, .price_cents = 0},
      {.id = "starter",
       .name = "Starter",
       .compute_units_per_month = 1'000,
       .max_concurrent_tasks = 3,
       .price_cents = 1'900},
      {.id = "professional",
       .name = "Professional",
       .compute_units_per_month = 5'000,
       .max_concurrent_tasks = 10,
       .price_cents = 4'900},
      {.id = "enterprise",
       .name = "Enterprise",
       .compute_units_per_month = 25'000,
       .max_concurrent_tasks = 50,
       .price_cents = 9'900},
  }};
  return all;
}

constexpr sql::Command<bool()> wait_for_turn{
    "ops.take_seed_turn", sql::sqlite("select 1"),  // there is one writer anyway
    sql::postgres("select true from (select pg_advisory_xact_lock(hashtextextended('quarry.seed', 0))) held")};

void seed_settings(Write& tx, SeedReport& report) {
  for (const auto& wanted : settings) {
    if (const auto there = system::find(tx, wanted.key)) {
      ++report.settings_kept;
      if (there->type != wanted.type) report.settings_of_other_type.emplace_back(wanted.key);
      continue;
    }
    system::set(
        tx, {.key = wanted.key, .type = wanted.type, .value = wanted.value, .description = std::string(wanted.description)});
    report.settings_made.emplace_back(wanted.key);
  }
}

void seed_plans(Write& tx, SeedReport& report) {
  for (const auto& wanted : plans()) {
    if (billing::find_plan(tx, wanted.id)) {
      ++report.plans_kept;
      continue;
    }
    billing::create_plan(tx, wanted);
    report.plans_made.push_back(wanted.id);
  }
}

/// The names are ours and need no escapes.
std::string json_list(const std::vector<std::string>& names) {
  return names.empty() ? "[]" : fmt::format("[\"{}\"]", fmt::join(names, "\",\""));
}

}  // namespace

std::span<const DefaultSetting> default_settings() noexcept { return settings; }

void take_seed_turn(Write& tx) { tx.value(wait_for_turn); }

SeedReport seed(Write& tx) {
  take_seed_turn(tx);
  SeedReport report;
  // First of all: a month with entries in the default partition cannot get one of its own any more.
  report.partitions_made = system::ensure_audit_partitions(tx).made;
  seed_settings(tx, report);
  seed_plans(tx, report);
  if (!report.settings_made.empty() || !report.plans_made.empty())
    system::audit(tx, {.action = "system.seed",
                       .details = Json{fmt::format(R"({{"settings":{},"plans":{}}})", json_list(report.settings_made),
                                                   json_list(report.plans_made))}});
  return report;
}

}  // namespace quarry::ops
