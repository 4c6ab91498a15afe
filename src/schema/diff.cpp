#include "quarry/schema/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "quarry/core/error.hpp"
#include "schema/change.hpp"
#include "schema/introspect.hpp"

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

/// What the object is a part of: its table; of a grant that is on no table, the function.
ObjectKey owner_of(const ObjectKey& key) {
  const auto& [type, table, name] = key;
  if (type != ObjectType::grant || !table.empty()) return {ObjectType::table, "", table};
  const auto from = name.find(' ') + 1;
  return {ObjectType::function, "", name.substr(from, name.rfind(" to ") - from)};
}

/// A part of a table that is missing or extra as a whole is not told by itself.
bool table_tells_all(const Object& object, const ModelIndex& other) {
  if (object.type == ObjectType::grant && object.name.starts_with("function ")) return !other.find(owner_of(key_of(object)));
  return !object.table.empty() && object.type != ObjectType::view && !other.table(object.table) &&
         !other.find({ObjectType::view, "", object.table});
}

/// What is done to it: to itself; when it comes or goes as a whole, to all that belongs to it; when nothing is done to
/// itself, to its table or function, which is then made anew.
std::vector<std::string> statements_for(const ChangePlan& plan, const Difference& difference) {
  const ObjectKey key{difference.type, difference.table, difference.name};
  const bool whole = difference.kind == DifferenceKind::missing || difference.kind == DifferenceKind::extra;
  std::vector<std::string> own;
  std::vector<std::string> of_owner;
  for (const auto& change : plan.changes) {
    const auto is_for = [&](const ObjectKey& wanted) {
      return change.object == wanted || std::find(change.also.begin(), change.also.end(), wanted) != change.also.end();
    };
    if (is_for(key) || (whole && owner_of(change.object) == key)) own.push_back(change.sql);
    if (is_for(owner_of(key))) of_owner.push_back(change.sql);
  }
  return own.empty() ? of_owner : own;
}

/// Whether mending the difference settles the object as well: parts come and go with the whole, and a SQLite table is
/// settled in all its columns and rules at once.
bool settles(const Difference& difference, Engine engine, const Object& object) {
  const ObjectKey key{difference.type, difference.table, difference.name};
  const bool whole = difference.kind == DifferenceKind::missing || difference.kind == DifferenceKind::extra;
  const auto belongs_to = [&](const std::string& table) {
    return object.table == table || key_of(object) == ObjectKey{ObjectType::table, "", table};
  };
  if (key_of(object) == key) return true;
  if (whole && (difference.type == ObjectType::table || difference.type == ObjectType::view))
    return belongs_to(difference.name);
  if (whole && difference.type == ObjectType::function)
    return object.type == ObjectType::grant && owner_of(key_of(object)) == key;
  const auto is_in_text = [](ObjectType type) {
    return type == ObjectType::table || type == ObjectType::column || type == ObjectType::constraint;
  };
  return engine == Engine::sqlite && is_in_text(difference.type) && is_in_text(object.type) &&
         belongs_to(difference.table.empty() ? difference.name : difference.table);
}

/// All that is needed for this difference alone, with what stands in its way and comes back.
std::vector<std::string> mend_of(const Model& actual, const Model& expected, const Difference& difference) {
  Model mended{actual.engine, {}, actual.owner, expected.schema};
  for (const auto& object : actual.objects)
    if (!settles(difference, actual.engine, object)) mended.objects.push_back(object);
  for (const auto& object : expected.objects)
    if (settles(difference, actual.engine, object)) mended.objects.push_back(object);
  sort_objects(mended);
  auto script = change_script(actual, mended);
  if (!script.rebuild) return std::move(script.statements);
  std::vector<std::string> statements{"pragma foreign_keys = off", "pragma legacy_alter_table = on", "begin immediate"};
  statements.insert(statements.end(), script.statements.begin(), script.statements.end());
  for (const char* last : {"commit", "pragma foreign_keys = on", "pragma legacy_alter_table = off"})
    statements.emplace_back(last);
  return statements;
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

/// A grant is recorded where it differs from what new objects have. One of `none` says that such a right was taken away: who
/// lacks that record has the right.
DifferenceKind as_told(DifferenceKind kind, const Object& object) {
  if (object.type != ObjectType::grant || object.attribute("privileges") != "none") return kind;
  return kind == DifferenceKind::missing ? DifferenceKind::extra : DifferenceKind::missing;
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
    if (!found && !table_tells_all(object, there)) add(as_told(DifferenceKind::missing, object), object, {});
    if (found && !same(*found, object))
      add(found->attributes == object.attributes && !found->valid ? DifferenceKind::invalid : DifferenceKind::changed,
          object, describe_change(*found, object));
  }
  for (const auto& object : actual.objects) {
    if (wanted.find(key_of(object)) || table_tells_all(object, wanted)) continue;
    add(as_told(DifferenceKind::extra, object), object, {});
  }
  if (differences.empty()) return {};
  const auto mend = plan_changes(actual, expected);
  const auto reverse = plan_changes(expected, actual);
  for (auto& difference : differences) {
    difference.mend = mend_of(actual, expected, difference);
    if (difference.mend.empty()) difference.mend = statements_for(mend, difference);
    difference.reverse = statements_for(reverse, difference);
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
