#include "quarry/schema/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "quarry/core/error.hpp"
#include "schema/change.hpp"

namespace quarry::schema {
namespace {

/// `not null is yes, should be no`; long texts on lines of their own.
std::string describe_change(const Object& actual, const Object& expected) {
  std::string detail;
  const auto add = [&](std::string_view name, std::string_view is, std::string_view should_be) {
    const auto shown = [](std::string_view value) { return value.empty() ? std::string_view("not set") : value; };
    const bool is_long = is.size() + should_be.size() > 100;
    detail += fmt::format("{}{} is{}{}{}should be{}{}", detail.empty() ? "" : "; ", name, is_long ? ":\n    " : " ",
                          shown(is), is_long ? "\n  " : ", ", is_long ? ":\n    " : " ", shown(should_be));
  };
  for (const auto& attribute : expected.attributes)
    if (actual.attribute(attribute.name) != attribute.value)
      add(attribute.name, actual.attribute(attribute.name), attribute.value);
  for (const auto& attribute : actual.attributes)
    if (!attribute.value.empty() && expected.attribute(attribute.name).empty()) add(attribute.name, attribute.value, {});
  if (actual.valid != expected.valid) add("valid", actual.valid ? "yes" : "no", expected.valid ? "yes" : "no");
  return detail;
}

/// A part of a table that is missing or extra as a whole is not told by itself.
bool table_tells_all(const Object& object, const ModelIndex& other) {
  return !object.table.empty() && object.type != ObjectType::view && !other.table(object.table) &&
         !other.find({ObjectType::view, "", object.table});
}

using StatementsByObject = std::map<ObjectKey, std::vector<std::string>>;

StatementsByObject by_object(const ChangePlan& plan) {
  StatementsByObject statements;
  for (const auto& change : plan.changes) {
    statements[change.object].push_back(change.sql);
    for (const auto& object : change.also) statements[object].push_back(change.sql);
  }
  return statements;
}

/// The function that the grant is on, if it is on one.
ObjectKey function_of(const ObjectKey& grant) {
  const auto& name = std::get<2>(grant);
  const auto from = name.find(' ') + 1;
  return {ObjectType::function, "", name.substr(from, name.rfind(" to ") - from)};
}

/// The object's own statements, or those of its table: a rebuild stands for all parts of the table. What is made anew comes
/// with the rights of new things.
std::vector<std::string> statements_for(const StatementsByObject& statements, const ObjectKey& key) {
  if (const auto own = statements.find(key); own != statements.end()) return own->second;
  const bool on_function = std::get<0>(key) == ObjectType::grant && std::get<1>(key).empty();
  const auto table =
      statements.find(on_function ? function_of(key) : ObjectKey{ObjectType::table, "", std::get<1>(key)});
  return table != statements.end() ? table->second : std::vector<std::string>{};
}

}  // namespace

std::string_view to_string(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::missing:
      return "missing";
    case DifferenceKind::extra:
      return "extra";
    case DifferenceKind::changed:
      return "changed";
    case DifferenceKind::invalid:
      return "invalid";
  }
  return "changed";
}

std::string to_text(const Difference& difference) {
  if (difference.type == ObjectType::grant)
    return fmt::format("grant on {}{}{} is {}{}{}", difference.table, difference.table.empty() ? "" : " ", difference.name,
                       to_string(difference.kind), difference.detail.empty() ? "" : ": ", difference.detail);
  return fmt::format("{} {}{}{} is {}{}{}", to_string(difference.type), difference.table,
                     difference.table.empty() ? "" : ".", difference.name, to_string(difference.kind),
                     difference.detail.empty() ? "" : ": ", difference.detail);
}

ModelIndex::ModelIndex(const Model& model) {
  for (const auto& object : model.objects) objects_.emplace_back(key_of(object), &object);
  std::sort(objects_.begin(), objects_.end());
}

const Object* ModelIndex::find(const ObjectKey& key) const {
  const auto found =
      std::lower_bound(objects_.begin(), objects_.end(), key, [](const auto& o, const auto& k) { return o.first < k; });
  return found != objects_.end() && found->first == key ? found->second : nullptr;
}

std::vector<const Object*> ModelIndex::parts(ObjectType type, const std::string& table) const {
  std::vector<const Object*> found;
  for (const auto& [key, object] : objects_)
    if (object->type == type && object->table == table) found.push_back(object);
  std::stable_sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->position < b->position; });
  return found;
}

bool mentions(Engine engine, std::string_view sql, std::string_view name) {
  Lexer lexer(engine, sql);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant()) {
    if (token.kind == TokenKind::word && token.text.size() == name.size() && normalised(engine, token.text) == name)
      return true;
    if (token.kind == TokenKind::quoted_name && token.text.substr(1, token.text.size() - 2) == name) return true;
  }
  return false;
}

ChangePlan plan_changes(const Model& actual, const Model& expected) {
  if (actual.engine != expected.engine) throw_bug("schemas of two engines cannot be compared");
  auto plan = actual.engine == Engine::sqlite ? plan_sqlite(actual, expected) : plan_postgres(actual, expected);
  std::stable_sort(plan.changes.begin(), plan.changes.end(), [](auto& a, auto& b) { return a.phase < b.phase; });
  return plan;
}

std::vector<Difference> compare(const Model& actual, const Model& expected) {
  if (to_text(actual) == to_text(expected)) return {};
  const ModelIndex there(actual);
  const ModelIndex wanted(expected);
  std::vector<Difference> differences;
  const auto add = [&](DifferenceKind kind, const Object& object, std::string detail) {
    differences.push_back({kind, object.type, object.table, object.name, std::move(detail), {}, {}});
  };
  for (const auto& object : expected.objects) {
    const Object* found = there.find(key_of(object));
    if (!found && !table_tells_all(object, there)) add(DifferenceKind::missing, object, {});
    if (found && !same(*found, object))
      add(found->attributes == object.attributes && !found->valid ? DifferenceKind::invalid : DifferenceKind::changed,
          object, describe_change(*found, object));
  }
  for (const auto& object : actual.objects) {
    if (wanted.find(key_of(object)) || table_tells_all(object, wanted)) continue;
    add(DifferenceKind::extra, object, {});
  }
  if (differences.empty()) return {};
  const auto mend = by_object(plan_changes(actual, expected));
  const auto reverse = by_object(plan_changes(expected, actual));
  for (auto& difference : differences) {
    const ObjectKey key{difference.type, difference.table, difference.name};
    difference.mend = statements_for(mend, key);
    difference.reverse = statements_for(reverse, key);
  }
  std::stable_sort(differences.begin(), differences.end(), [](const auto& a, const auto& b) {
    return std::tie(a.type, a.table, a.name) < std::tie(b.type, b.table, b.name);
  });
  return differences;
}

ChangeScript change_script(const Model& actual, const Model& expected) {
  auto plan = plan_changes(actual, expected);
  ChangeScript script{{}, plan.rebuild, plan.no_transaction, plan.destructive};
  for (auto& change : plan.changes) script.statements.push_back(std::move(change.sql));
  return script;
}

}  // namespace quarry::schema
