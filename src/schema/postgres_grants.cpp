#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "schema/postgres_alter.hpp"

namespace quarry::schema {
namespace {

constexpr std::string_view grant_option = " with grant option";

std::vector<std::string> privileges_of(std::string_view list) {
  std::vector<std::string> privileges;
  while (!list.empty()) {
    const auto comma = list.find(", ");
    if (list != "none") privileges.emplace_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 2);
  }
  return privileges;
}

std::vector<std::string> without(const std::vector<std::string>& all, const std::vector<std::string>& others) {
  std::vector<std::string> rest;
  for (const auto& one : all)
    if (std::find(others.begin(), others.end(), one) == others.end()) rest.push_back(one);
  return rest;
}

/// The name of one schema becomes that of the other, where it ends a text or a word.
std::string moved(std::string text, const std::string& from, const std::string& to) {
  if (const auto at = text.rfind("schema " + from); at != std::string::npos && !from.empty())
    text.replace(at + 7, from.size(), to);
  return text;
}

/// Null stands for what the thing begins with; at least one of the two is not.
std::vector<std::string> alter_grant(const Object* actual, const Object* expected, const Model& actual_model,
                                     const Model& expected_model) {
  const Object& known = expected ? *expected : *actual;
  const auto base = privileges_of(known.base);
  const auto has = actual ? privileges_of(actual->attribute("privileges")) : base;
  const auto wants = expected ? privileges_of(expected->attribute("privileges")) : base;
  const auto on_what = moved(known.definition, expected_model.schema, actual_model.schema);
  const auto prefix = moved(known.create, expected_model.schema, actual_model.schema);
  const auto& grantee = known.drop.empty() ? actual_model.owner : known.drop;
  std::vector<std::string> statements;
  std::vector<std::string> gone;
  for (auto privilege : without(has, wants)) {
    if (privilege.ends_with(grant_option)) privilege.resize(privilege.size() - grant_option.size());
    gone.push_back(std::move(privilege));
  }
  if (!gone.empty())
    statements.push_back(fmt::format("{}revoke {} on {} from {}", prefix, fmt::join(gone, ", "), on_what, grantee));
  std::vector<std::string> plain;
  for (const auto& privilege : without(wants, has)) {
    if (!privilege.ends_with(grant_option))
      plain.push_back(privilege);
    else
      statements.push_back(fmt::format("{}grant {} on {} to {}{}", prefix,
                                       privilege.substr(0, privilege.size() - grant_option.size()), on_what, grantee,
                                       grant_option));
  }
  if (!plain.empty())
    statements.push_back(fmt::format("{}grant {} on {} to {}", prefix, fmt::join(plain, ", "), on_what, grantee));
  return statements;
}

/// What the grant is on; null for the schema, for what is yet to be made, and for what is not in the model.
const Object* thing_of(const Object& grant, const Model& model) {
  if (!grant.table.empty()) {
    const Object* table = model.find(ObjectType::table, "", grant.table);
    return table ? table : model.find(ObjectType::view, "", grant.table);
  }
  const auto word = grant.name.substr(0, grant.name.find(' '));
  if (word != "function" && word != "procedure" && word != "type" && word != "sequence") return nullptr;
  for (const auto& object : model.objects) {
    const bool fits = object.type == ObjectType::function || object.type == ObjectType::enumeration ||
                      object.type == ObjectType::domain || object.type == ObjectType::sequence;
    if (fits && grant.name.starts_with(word + " " + object.name + " to ")) return &object;
  }
  return nullptr;
}

const Object* column_of(const Object& grant, const Model& model) {
  if (!grant.name.starts_with('(')) return nullptr;
  return model.find(ObjectType::column, grant.table, grant.name.substr(1, grant.name.find(") to ") - 1));
}

}  // namespace

std::vector<std::pair<const Object*, std::string>> plan_grants(const Model& actual, const Model& expected,
                                                               const std::function<bool(const Object&)>& is_made_anew) {
  std::vector<std::pair<const Object*, std::string>> plan;
  const auto add = [&](const Object* has, const Object* wants) {
    for (auto& sql : alter_grant(has, wants, actual, expected)) plan.emplace_back(wants ? wants : has, std::move(sql));
  };
  const auto is_on_new = [&](const Object& grant) {
    const Object* thing = thing_of(grant, expected);
    const Object* column = column_of(grant, expected);
    return (thing && is_made_anew(*thing)) || (column && is_made_anew(*column));
  };
  for (const auto& object : expected.objects) {
    if (object.type != ObjectType::grant) continue;
    const Object* has = is_on_new(object) ? nullptr : actual.find(object.type, object.table, object.name);
    if (!has || has->attributes != object.attributes) add(has, &object);
  }
  for (const auto& object : actual.objects) {
    if (object.type != ObjectType::grant || expected.find(object.type, object.table, object.name)) continue;
    const Object* thing = thing_of(object, actual);
    const bool goes = thing && !expected.find(thing->type, thing->table, thing->name);
    if (!goes && !is_on_new(object)) add(&object, nullptr);
  }
  return plan;
}

std::vector<std::string> alter_role(const Object& actual, const Object& expected) {
  std::vector<std::string> statements;
  for (const char* right : {"login", "superuser", "bypassrls", "createrole", "createdb", "replication"})
    if (actual.attribute(right) != expected.attribute(right))
      statements.push_back(
          fmt::format("alter role {} {}{}", expected.definition, expected.attribute(right).empty() ? "no" : "", right));
  const auto is_member = privileges_of(actual.attribute("member of"));
  const auto should_be = privileges_of(expected.attribute("member of"));
  for (const auto& role : without(is_member, should_be))
    statements.push_back(fmt::format("revoke {} from {}", role, expected.definition));
  for (const auto& role : without(should_be, is_member))
    statements.push_back(fmt::format("grant {} to {}", role, expected.definition));
  if (actual.attribute("settings") != expected.attribute("settings"))
    statements.push_back(fmt::format("alter role {} reset all", expected.definition));
  return statements;
}

}  // namespace quarry::schema
