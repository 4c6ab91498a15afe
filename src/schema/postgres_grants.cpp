#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

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

/// What revoking on tables takes along: the same privileges of all their columns, by the table and whom they were given to.
class Taken {
 public:
  void note(const Object& grant, const Object* has, const Object* wants) {
    if (grant.table.empty() || !has) return;
    const auto kept = privileges_of(wants ? wants->attribute("privileges") : std::string_view(grant.base));
    for (auto privilege : without(privileges_of(has->attribute("privileges")), kept)) {
      if (privilege.ends_with(grant_option)) privilege.resize(privilege.size() - grant_option.size());
      taken_.insert({grant.table, grant.name, privilege});
    }
  }
  /// What is left of a column's grant.
  Object rest_of(Object grant) const {
    const auto whom = grant.name.substr(grant.name.find(") to ") + 2);
    auto& privileges = *std::find_if(grant.attributes.begin(), grant.attributes.end(),
                                     [](const Attribute& attribute) { return attribute.name == "privileges"; });
    auto rest = privileges_of(privileges.value);
    std::erase_if(rest, [&](const std::string& privilege) {
      return taken_.contains({grant.table, whom, privilege.substr(0, privilege.find(" ("))});
    });
    privileges.value = rest.empty() ? "none" : fmt::format("{}", fmt::join(rest, ", "));
    return grant;
  }

 private:
  std::set<std::tuple<std::string, std::string, std::string>> taken_;
};

class GrantPlan {
 public:
  GrantPlan(const Model& actual, const Model& expected, const std::function<bool(const Object&)>& is_made_anew)
      : actual_(actual), expected_(expected), is_made_anew_(is_made_anew) {}

  /// Those on whole things first: they may take along what their columns' have.
  std::vector<std::pair<const Object*, std::string>> run() {
    for (const bool of_columns : {false, true}) {
      for (const auto& object : expected_.objects)
        if (is_grant(object, of_columns)) give(object);
      for (const auto& object : actual_.objects)
        if (is_grant(object, of_columns) && !expected_.find(object.type, object.table, object.name)) take(object);
    }
    return std::move(plan_);
  }

 private:
  static bool is_grant(const Object& object, bool of_column) {
    return object.type == ObjectType::grant && object.name.starts_with('(') == of_column;
  }
  bool is_on_new(const Object& grant) const {
    const Object* thing = thing_of(grant, expected_);
    const Object* column = column_of(grant, expected_);
    return (thing && is_made_anew_(*thing)) || (column && is_made_anew_(*column));
  }
  /// Goes by itself with what it is on.
  bool goes(const Object& grant) const {
    const auto is_gone = [&](const Object* what) { return what && !expected_.find(what->type, what->table, what->name); };
    return is_gone(thing_of(grant, actual_)) || is_gone(column_of(grant, actual_));
  }

  void give(const Object& wants) {
    const Object* has = is_on_new(wants) ? nullptr : actual_.find(wants.type, wants.table, wants.name);
    if (has && column_of(wants, actual_)) {
      const Object rest = taken_.rest_of(*has);
      if (rest.attributes != wants.attributes) add(wants, alter_grant(&rest, &wants, actual_, expected_));
    } else if (!has || has->attributes != wants.attributes) {
      taken_.note(wants, has, &wants);
      add(wants, alter_grant(has, &wants, actual_, expected_));
    }
  }
  void take(const Object& has) {
    if (goes(has) || is_on_new(has)) return;
    taken_.note(has, &has, nullptr);
    add(has, alter_grant(&has, nullptr, actual_, expected_));
  }
  void add(const Object& grant, std::vector<std::string> statements) {
    for (auto& sql : statements) plan_.emplace_back(&grant, std::move(sql));
  }

  const Model& actual_;
  const Model& expected_;
  const std::function<bool(const Object&)>& is_made_anew_;
  Taken taken_;
  std::vector<std::pair<const Object*, std::string>> plan_;
};

}  // namespace

std::vector<std::pair<const Object*, std::string>> plan_grants(const Model& actual, const Model& expected,
                                                               const std::function<bool(const Object&)>& is_made_anew) {
  return GrantPlan(actual, expected, is_made_anew).run();
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
