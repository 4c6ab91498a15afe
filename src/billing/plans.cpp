#include "quarry/billing/plans.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "billing/rules.hpp"
#include "quarry/billing/units.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/system/record.hpp"

namespace quarry::billing {
namespace {

#define QUARRY_PLAN_COLUMNS                                                                                            \
  "id, name, compute_units_per_month, max_concurrent_tasks, price_cents, provider_variant_id, is_active, created_at, " \
  "updated_at"

constexpr sql::Query<Plan(std::string_view)> find_plan_row{
    "billing.find_plan", "select " QUARRY_PLAN_COLUMNS " from subscription_plans where id = $1"};
constexpr sql::Query<Plan(std::string_view)> find_by_variant{
    "billing.find_plan_of_variant", "select " QUARRY_PLAN_COLUMNS " from subscription_plans where provider_variant_id = $1"};
constexpr sql::Query<Plan(bool)> list_all{
    "billing.list_plans",
    sql::sqlite("select " QUARRY_PLAN_COLUMNS " from subscription_plans where is_active or $1 order by price_cents, id"),
    sql::postgres("select " QUARRY_PLAN_COLUMNS
                  " from subscription_plans where is_active or $1 order by price_cents, id collate \"C\"")};

struct PlanRow {
  std::string id;
  std::string name;
  std::int64_t compute_units_per_month;
  int max_concurrent_tasks;
  int price_cents;
  std::optional<std::string> provider_variant_id;
  bool is_active;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(PlanRow, (),
                      (id, name, compute_units_per_month, max_concurrent_tasks, price_cents, provider_variant_id, is_active,
                       now))

constexpr sql::Command<void(PlanRow)> insert_plan{"billing.create_plan",
                                                  "insert into subscription_plans (" QUARRY_PLAN_COLUMNS
                                                  ") values ($1, $2, $3, $4, $5, $6, $7, $8, $8)"};
constexpr sql::Command<void(PlanRow)> change_plan{
    "billing.update_plan",
    "update subscription_plans set name = $2, compute_units_per_month = $3, max_concurrent_tasks = $4, price_cents = $5,"
    " provider_variant_id = $6, is_active = $7, updated_at = $8 where id = $1"};
constexpr sql::Query<Plan(std::string_view)> lock_plan{
    "billing.lock_plan", sql::sqlite("select " QUARRY_PLAN_COLUMNS " from subscription_plans where id = $1"),
    sql::postgres("select " QUARRY_PLAN_COLUMNS " from subscription_plans where id = $1 for no key update")};

void check(const PlanRow& plan) {
  store::check_text("plan id", plan.id, 1, 50);
  store::check_text("name", plan.name, 1, 100);
  constexpr auto units_max = micro_units_max / micro_per_unit;
  if (plan.compute_units_per_month < 0 || plan.compute_units_per_month > units_max)
    throw_invalid(
        fmt::format("compute_units_per_month {}: it must be from 0 to {}", plan.compute_units_per_month, units_max));
  if (plan.max_concurrent_tasks < 1 || plan.max_concurrent_tasks > 1'000'000)
    throw_invalid(fmt::format("max_concurrent_tasks {}: it must be from 1 to 1000000", plan.max_concurrent_tasks));
  if (plan.price_cents < 0) throw_invalid(fmt::format("price_cents {}: it must not be negative", plan.price_cents));
  if (plan.provider_variant_id) store::check_text("provider_variant_id", *plan.provider_variant_id, 1, 100);
  if (plan.id == free_plan && !plan.is_active) throw_invalid("the plan 'free' is what everybody has: it stays active");
}

void record_plan(Write& tx, std::string_view action, const Plan& plan) {
  const boost::json::object details{{"plan_id", plan.id},
                                    {"compute_units_per_month", plan.compute_units_per_month},
                                    {"max_concurrent_tasks", plan.max_concurrent_tasks},
                                    {"price_cents", plan.price_cents},
                                    {"is_active", plan.is_active}};
  system::record(tx,
                 {.action = std::string(action), .resource_type = "plan", .details = Json{boost::json::serialize(details)}});
}

[[noreturn]] void throw_no_plan(std::string_view id) {
  throw Error(ErrorCode::not_found, fmt::format("there is no plan '{}': `quarry plan list` names those that are", id));
}

}  // namespace

std::optional<Plan> find_plan(Read& tx, std::string_view id) { return tx.one(find_plan_row, id); }

Plan get_plan(Read& tx, std::string_view id) {
  if (auto plan = find_plan(tx, id)) return *std::move(plan);
  throw_no_plan(id);
}

std::optional<Plan> find_plan_of_variant(Read& tx, std::string_view variant) { return tx.one(find_by_variant, variant); }
std::vector<Plan> list_plans(Read& tx, bool with_inactive) { return tx.all(list_all, with_inactive); }

Plan create_plan(Write& tx, const NewPlan& plan) {
  require_admin(tx, "making a plan");
  const PlanRow row{plan.id,
                    plan.name,
                    plan.compute_units_per_month,
                    plan.max_concurrent_tasks,
                    plan.price_cents,
                    plan.provider_variant_id,
                    true,
                    tx.now()};
  check(row);
  tx.run(insert_plan, row);
  auto made = get_plan(tx, plan.id);
  record_plan(tx, "plan.create", made);
  return made;
}

Plan update_plan(Write& tx, std::string_view id, const PlanChanges& changes) {
  require_admin(tx, "changing a plan");
  const auto before = tx.one(lock_plan, id);
  if (!before) throw_no_plan(id);
  const PlanRow row{before->id,
                    changes.name.value_or(before->name),
                    changes.compute_units_per_month.value_or(before->compute_units_per_month),
                    changes.max_concurrent_tasks.value_or(before->max_concurrent_tasks),
                    changes.price_cents.value_or(before->price_cents),
                    changes.provider_variant_id.value_or(before->provider_variant_id),
                    changes.is_active.value_or(before->is_active),
                    std::max(tx.now(), before->updated_at + std::chrono::microseconds(1))};
  check(row);
  tx.run(change_plan, row);
  auto after = get_plan(tx, id);
  record_plan(tx, "plan.update", after);
  return after;
}

}  // namespace quarry::billing
