#include "schema/default_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe/class.hpp>

namespace quarry::schema {
namespace {

constexpr std::string_view plans_table = "subscription_plans";

struct PlanRow {
  std::string id;
  std::string name;
  std::string compute_units_per_month;
  std::string max_concurrent_tasks;
  std::string price_cents;
  bool is_active = true;
};
BOOST_DESCRIBE_STRUCT(PlanRow, (), (id, name, compute_units_per_month, max_concurrent_tasks, price_cents, is_active))

/// As text, so that a column of another type does not keep us from telling that it is one.
constexpr sql::Query<PlanRow()> plans{
    "schema.default_plans",
    "select cast(id as text) as id, cast(name as text) as name,"
    " cast(compute_units_per_month as text) as compute_units_per_month,"
    " cast(max_concurrent_tasks as text) as max_concurrent_tasks, cast(price_cents as text) as price_cents,"
    " cast(is_active as text) in ('1', 'true') as is_active from subscription_plans order by id"};

bool has_plans(const Model& model) {
  const auto has = [&](std::string_view column) { return model.find(ObjectType::column, plans_table, column) != nullptr; };
  return has("id") && has("name") && has("compute_units_per_month") && has("max_concurrent_tasks") && has("price_cents") &&
         has("is_active");
}

std::string insert_of(const PlanRow& plan) {
  return fmt::format(
      "insert into {} (id, name, compute_units_per_month, max_concurrent_tasks, price_cents) values ({}, {}, {}, {}, {})",
      plans_table, quoted_text(plan.id), quoted_text(plan.name), plan.compute_units_per_month, plan.max_concurrent_tasks,
      plan.price_cents);
}

}  // namespace

void add_default_rows(Model& model, Read& tx) {
  if (!has_plans(model)) return;
  for (const auto& plan : tx.all(plans)) {
    Object row{.type = ObjectType::row,
               .table = std::string(plans_table),
               .name = plan.id,
               .attributes = {},
               .create = insert_of(plan),
               .drop = fmt::format("delete from {} where id = {}", plans_table, quoted_text(plan.id)),
               .definition =
                   fmt::format("{}, {} units a month, {} tasks at once, {} cents{}", plan.name, plan.compute_units_per_month,
                               plan.max_concurrent_tasks, plan.price_cents, plan.is_active ? "" : ", not for sale"),
               .base = fmt::format("update {} set is_active = {} where id = {}", plans_table,
                                   model.engine == Engine::sqlite ? "1" : "true", quoted_text(plan.id))};
    // What every user without a subscription has.
    if (plan.id == "free" && !plan.is_active) row.attributes.push_back({"active", "no"});
    model.objects.push_back(std::move(row));
  }
}

std::vector<std::string> settle_default_rows(Model& actual, Model& expected) {
  const bool readable = has_plans(actual) || !actual.find(ObjectType::table, {}, plans_table);
  if (!readable) std::erase_if(expected.objects, [](const Object& object) { return object.type == ObjectType::row; });
  std::erase_if(actual.objects, [&](const Object& object) {
    return object.type == ObjectType::row && !expected.find(object.type, object.table, object.name);
  });
  std::vector<std::string> notes;
  for (const auto& row : actual.objects) {
    if (row.type != ObjectType::row) continue;
    const Object* made = expected.find(row.type, row.table, row.name);
    if (made && made->definition != row.definition)
      notes.push_back(
          fmt::format("plan {} was changed: it is {}; new databases have {}", row.name, row.definition, made->definition));
  }
  return notes;
}

}  // namespace quarry::schema
