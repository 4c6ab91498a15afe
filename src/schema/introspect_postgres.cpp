#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "schema/catalog_postgres.hpp"
#include "schema/introspect.hpp"

namespace quarry::schema {
namespace {

using Attributes = std::vector<Attribute>;

/// What is empty is as the engine has it by default, and left out.
Attributes without_empty(Attributes all) {
  std::erase_if(all, [](const Attribute& a) { return a.value.empty(); });
  return all;
}

std::string yes_or_empty(bool value) { return value ? "yes" : ""; }

void add_types(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::extensions))
    model.objects.push_back({.type = ObjectType::extension,
                             .table = {},
                             .name = row.name,
                             .attributes = {},
                             .create = fmt::format("create extension {}", row.name_sql),
                             .drop = fmt::format("drop extension {}", row.name_sql),
                             .definition = {}});
  for (const auto& row : tx.all(catalog::enumerations)) {
    std::vector<std::string> labels;
    for (const auto& label : row.labels) labels.push_back(quoted_text(label));
    const auto list = fmt::format("{}", fmt::join(labels, ", "));
    model.objects.push_back({.type = ObjectType::enumeration,
                             .table = {},
                             .name = row.name,
                             .attributes = {{"labels", list}},
                             .create = fmt::format("create type {} as enum ({})", row.name_sql, list),
                             .drop = fmt::format("drop type {}", row.name_sql),
                             .definition = {}});
  }
  for (const auto& row : tx.all(catalog::domains)) {
    auto create = fmt::format("create domain {} as {}", row.name_sql, row.type);
    if (!row.default_value.empty()) create += " default " + row.default_value;
    if (row.not_null) create += " not null";
    Attributes attributes{{"type", row.type}, {"default", row.default_value}, {"not null", yes_or_empty(row.not_null)}};
    for (std::size_t i = 0; i < row.checks.size(); ++i) {
      attributes.push_back({"constraint " + row.check_names[i], row.checks[i]});
      create += fmt::format(" constraint {} {}", row.check_names[i], row.checks[i]);
    }
    model.objects.push_back({.type = ObjectType::domain,
                             .table = {},
                             .name = row.name,
                             .attributes = without_empty(std::move(attributes)),
                             .create = create,
                             .drop = fmt::format("drop domain {}", row.name_sql),
                             .definition = row.name_sql});
  }
}

void add_sequences(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::sequences))
    model.objects.push_back({.type = ObjectType::sequence,
                             .table = {},
                             .name = row.name,
                             .attributes = {{"definition", row.definition}},
                             .create = fmt::format("create sequence {} {}", row.name_sql, row.definition),
                             .drop = fmt::format("drop sequence {}", row.name_sql),
                             .definition = row.definition});
}

void add_functions(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::functions))
    model.objects.push_back({.type = ObjectType::function,
                             .table = {},
                             .name = fmt::format("{}({})", row.name, row.arguments),
                             .attributes = without_empty({{"result", row.result}, {"definition", row.definition}}),
                             .create = row.definition,
                             .drop = fmt::format("drop {} {}({})", row.kind, row.name_sql, row.arguments),
                             .definition = {}});
}

/// A table's own settings, beside its columns, as ALTER TABLE takes them: see `alter_table_settings` in diff_postgres.cpp.
void add_tables(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::tables)) {
    Object object{.type = ObjectType::table,
                  .table = {},
                  .name = row.name,
                  .attributes = without_empty({{"persistence", row.persistence},
                                               {"partitioned by", row.partition_key},
                                               {"partition of", row.parent},
                                               {"bound", row.bound},
                                               {"row security", yes_or_empty(row.row_security)},
                                               {"force row security", yes_or_empty(row.force_row_security)},
                                               {"options", row.options},
                                               {"replica identity", row.replica_identity}}),
                  .create = {},
                  .drop = fmt::format("drop table {}", row.name_sql),
                  .definition = row.name_sql};
    if (!row.parent.empty()) {
      object.create = fmt::format("create table {} partition of {} {}", row.name_sql, row.parent_sql, row.bound);
      if (!row.partition_key.empty()) object.create += " partition by " + row.partition_key;
    }
    model.objects.push_back(std::move(object));
  }
}

void add_columns(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::columns)) {
    std::string definition = fmt::format("{} {}", row.name_sql, row.type);
    if (!row.collation.empty()) definition += " collate " + row.collation;
    if (!row.identity.empty()) definition += fmt::format(" generated {} as identity", row.identity);
    if (!row.generated.empty()) definition += fmt::format(" generated always as ({}) stored", row.generated);
    if (!row.default_value.empty()) definition += " default " + row.default_value;
    if (row.not_null) definition += " not null";
    model.objects.push_back({.type = ObjectType::column,
                             .table = row.table_name,
                             .name = row.name,
                             .attributes = without_empty({{"type", row.type},
                                                          {"enum", yes_or_empty(row.is_enum)},
                                                          {"collation", row.collation},
                                                          {"not null", yes_or_empty(row.not_null)},
                                                          {"identity", row.identity},
                                                          {"generated", row.generated},
                                                          {"default", row.default_value},
                                                          {"storage", row.storage}}),
                             .create = fmt::format("alter table {} add column {}", row.table_sql, definition),
                             .drop = fmt::format("alter table {} drop column {}", row.table_sql, row.name_sql),
                             .definition = std::move(definition),
                             .position = static_cast<int>(row.position)});
  }
}

void add_constraints(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::constraints)) {
    auto definition = fmt::format("constraint {} {}", row.name_sql, row.definition);
    model.objects.push_back({.type = ObjectType::constraint,
                             .table = row.table_name,
                             .name = row.name,
                             .attributes = {{"kind", row.kind}, {"definition", row.definition}},
                             .valid = row.valid,
                             .create = fmt::format("alter table {} add {}", row.table_sql, definition),
                             .drop = fmt::format("alter table {} drop constraint {}", row.table_sql, row.name_sql),
                             .definition = std::move(definition)});
  }
}

void add_indexes(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::indexes))
    model.objects.push_back({.type = ObjectType::index,
                             .table = row.table_name,
                             .name = row.name,
                             .attributes = {{"definition", row.definition}},
                             .valid = row.valid,
                             .create = row.definition,
                             .drop = fmt::format("drop index {}", row.name_sql),
                             .definition = {}});
}

void add_views(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::views)) {
    model.objects.push_back(
        {.type = ObjectType::view,
         .table = {},
         .name = row.name,
         .attributes = without_empty({{"kind", row.kind}, {"options", row.options}, {"definition", row.definition}}),
         .create = fmt::format("create {} {}{} as\n{}", row.kind, row.name_sql,
                               row.options.empty() ? "" : fmt::format(" with ({})", row.options), row.definition),
         .drop = fmt::format("drop {} {}", row.kind, row.name_sql),
         .definition = {}});
  }
}

void add_triggers_and_policies(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::triggers))
    model.objects.push_back(
        {.type = ObjectType::trigger,
         .table = row.table_name,
         .name = row.name,
         .attributes = {{"state", row.kind}, {"definition", row.definition}},
         .create = row.definition,
         .drop = fmt::format("drop trigger {} on {}", row.name_sql, row.table_sql),
         .definition = fmt::format("alter table {} {} trigger {}", row.table_sql, row.kind, row.name_sql)});
  for (const auto& row : tx.all(catalog::policies))
    model.objects.push_back({.type = ObjectType::policy,
                             .table = row.table_name,
                             .name = row.name,
                             .attributes = {{"definition", row.definition}},
                             .create = fmt::format("create policy {} on {} {}", row.name_sql, row.table_sql, row.definition),
                             .drop = fmt::format("drop policy {} on {}", row.name_sql, row.table_sql),
                             .definition = {}});
}

}  // namespace

Model introspect_postgres(Read& tx) {
  Model model{Engine::postgres, {}};
  add_types(model, tx);
  add_sequences(model, tx);
  add_functions(model, tx);
  add_tables(model, tx);
  add_columns(model, tx);
  add_constraints(model, tx);
  add_indexes(model, tx);
  add_views(model, tx);
  add_triggers_and_policies(model, tx);
  introspect_rights(model, tx);
  return model;
}

}  // namespace quarry::schema
