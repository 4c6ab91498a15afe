#include <fmt/format.h>

#include <utility>

#include "schema/catalog_rights.hpp"
#include "schema/introspect.hpp"

namespace quarry::schema {
namespace {

void mark(Model& model, const std::vector<catalog::Mark>& marks, std::string_view attribute) {
  for (const auto& row : marks)
    for (auto& object : model.objects)
      if (to_string(object.type) == row.type && object.table == row.table_name && object.name == row.name)
        object.attributes.push_back({std::string(attribute), row.value});
}

void add_roles(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::roles)) {
    Object role{.type = ObjectType::role,
                .table = {},
                .name = row.name,
                .attributes = {},
                .create = fmt::format("create role {} nologin", row.name_sql),
                .drop = fmt::format("drop role {}", row.name_sql),
                .definition = row.name_sql};
    for (const auto& [name, has] :
         {std::pair("login", row.logs_in), std::pair("superuser", row.superuser),
          std::pair("bypassrls", row.bypasses_row_security), std::pair("createrole", row.creates_roles),
          std::pair("createdb", row.creates_databases), std::pair("replication", row.replicates)})
      if (has) role.attributes.push_back({name, "yes"});
    if (!row.member_of.empty()) role.attributes.push_back({"member of", row.member_of});
    if (!row.settings.empty()) role.attributes.push_back({"settings", row.settings});
    model.objects.push_back(std::move(role));
  }
}

void add_rules(Model& model, Read& tx) {
  for (const auto& row : tx.all(catalog::rules))
    model.objects.push_back({.type = ObjectType::rule,
                             .table = row.table_name,
                             .name = row.name,
                             .attributes = {{"state", row.kind}, {"definition", row.definition}},
                             .create = row.definition,
                             .drop = fmt::format("drop rule {} on {}", row.name_sql, row.table_sql),
                             .definition = fmt::format("alter table {} {} rule {}", row.table_sql, row.kind, row.name_sql)});
}

void add_grants(Model& model, Read& tx) {
  for (auto& row : tx.all(catalog::grants))
    model.objects.push_back({.type = ObjectType::grant,
                             .table = row.table_name,
                             .name = row.place + "to " + (row.grantee.empty() ? "its owner" : row.grantee),
                             .attributes = {{"privileges", row.privileges.empty() ? "none" : row.privileges}},
                             .create = row.prefix,
                             .drop = row.grantee,
                             .definition = row.on_what,
                             .base = row.base});
}

}  // namespace

void introspect_rights(Model& model, Read& tx) {
  auto place = tx.value(catalog::place);
  model.owner = std::move(place.owner);
  model.schema = std::move(place.schema);
  add_roles(model, tx);
  add_rules(model, tx);
  mark(model, tx.all(catalog::unenforced), "enforced");
  mark(model, tx.all(catalog::partition_triggers), "otherwise on");
  mark(model, tx.all(catalog::identity_sequences), "sequence");
  mark(model, tx.all(catalog::other_owners), "owner");
  add_grants(model, tx);
}

}  // namespace quarry::schema
