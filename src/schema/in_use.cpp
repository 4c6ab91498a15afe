#include "schema/in_use.hpp"

#include <algorithm>
#include <vector>

#include "schema/introspect.hpp"

namespace quarry::schema {
namespace {

bool belongs_to(const Object& object, const std::string& table) {
  return object.table == table || (object.type == ObjectType::table && object.name == table);
}

/// The partition that the migrations make of a table; null when they make none.
const Object* pattern_of(const Model& expected, std::string_view parent) {
  for (const auto& object : expected.objects)
    if (object.type == ObjectType::table && object.attribute("partition of") == parent) return &object;
  return nullptr;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

Object renamed(Object object, const std::string& from, const std::string& to) {
  for (std::string* text : {&object.table, &object.name, &object.create, &object.drop, &object.definition})
    replace_all(*text, from, to);
  for (auto& attribute : object.attributes) replace_all(attribute.value, from, to);
  return object;
}

/// The table as it is, but as safe as the pattern.
Object secured(Object table, const Object& pattern) {
  std::erase_if(table.attributes, [](const Attribute& a) {
    return a.name == "row security" || a.name == "force row security" || a.name == "owner";
  });
  for (const char* name : {"row security", "force row security"})
    if (!pattern.attribute(name).empty()) table.attributes.push_back({name, std::string(pattern.attribute(name))});
  return table;
}

/// Attributes are compared in their order.
void in_order_of(Object& object, const Object& other) {
  std::vector<Attribute> ordered;
  for (const auto& attribute : other.attributes)
    if (const auto found = std::find_if(object.attributes.begin(), object.attributes.end(),
                                        [&](const Attribute& a) { return a.name == attribute.name; });
        found != object.attributes.end()) {
      ordered.push_back(*found);
      object.attributes.erase(found);
    }
  ordered.insert(ordered.end(), object.attributes.begin(), object.attributes.end());
  object.attributes = std::move(ordered);
}

/// All that stands on the pattern, as the partition should have it.
std::vector<Object> like_pattern(const Model& expected, const Object& pattern, const Object& partition) {
  std::vector<Object> objects;
  for (const auto& object : expected.objects) {
    if (!belongs_to(object, pattern.name)) continue;
    if (object.type != ObjectType::table) {
      objects.push_back(renamed(object, pattern.name, partition.name));
      continue;
    }
    objects.push_back(secured(partition, pattern));
    in_order_of(objects.back(), partition);
  }
  return objects;
}

/// A detached partition keeps what it has; only who may do what with it is held to the pattern.
std::vector<Object> as_it_is(const Model& actual, const Model& expected, const Object& pattern, const Object& table) {
  std::vector<Object> objects;
  for (const auto& object : actual.objects)
    if (belongs_to(object, table.name) && object.type != ObjectType::grant) {
      objects.push_back(object.type == ObjectType::table ? secured(object, pattern) : object);
      if (object.type == ObjectType::table) in_order_of(objects.back(), object);
    }
  for (const auto& object : expected.objects)
    if (object.type == ObjectType::grant && object.table == pattern.name)
      objects.push_back(renamed(object, pattern.name, table.name));
  return objects;
}

bool has_columns_of(const Model& actual, const std::string& table, const Model& expected, std::string_view parent) {
  return std::all_of(expected.objects.begin(), expected.objects.end(), [&](const Object& object) {
    if (object.type != ObjectType::column || object.table != parent) return true;
    const Object* same = actual.find(ObjectType::column, table, object.name);
    return same && same->attribute("type") == object.attribute("type");
  });
}

/// Whose partition it was; empty when it was none.
std::string former_parent(const Model& actual, const Model& expected, const Object& table) {
  for (const auto& parent : expected.objects)
    if (parent.type == ObjectType::table && !parent.attribute("partitioned by").empty() &&
        table.name.starts_with(parent.name + "_") && has_columns_of(actual, table.name, expected, parent.name))
      return parent.name;
  return {};
}

bool is_operators_own(const Object& object) {
  return object.type == ObjectType::extension ||
         (object.type == ObjectType::grant && object.table.empty() && object.name.starts_with("schema to "));
}

/// What everybody may do needs no grant of its own; and who does not own the schema, as in a database that was handed to
/// them, cannot give one.
void grant_what_everybody_has(Model& actual, const Model& expected) {
  const Object* everybody = actual.find(ObjectType::grant, {}, "schema to public");
  if (!everybody) return;
  const std::string held = ", " + std::string(everybody->attribute("privileges")) + ", ";
  std::vector<Object> implied;
  for (const auto& object : expected.objects)
    if (is_operators_own(object) && object.type == ObjectType::grant && !actual.find(object.type, {}, object.name) &&
        held.find(", " + std::string(object.attribute("privileges")) + ", ") != std::string::npos)
      implied.push_back(object);
  if (implied.empty()) return;
  actual.objects.insert(actual.objects.end(), implied.begin(), implied.end());
  sort_objects(actual);
}

/// A partition that was detached has columns and keys of its own until it is attached again.
void leave_out_parts_of_detached(Model& actual, const Model& expected) {
  std::vector<std::string> detached;
  for (const auto& table : actual.objects) {
    if (table.type != ObjectType::table || !table.attribute("partition of").empty()) continue;
    const Object* target = expected.find(table.type, {}, table.name);
    if (target && !target->attribute("partition of").empty()) detached.push_back(table.name);
  }
  for (const auto& name : detached)
    std::erase_if(actual.objects, [&](const Object& object) {
      return object.table == name && (object.type == ObjectType::column || object.type == ObjectType::constraint ||
                                      object.type == ObjectType::index);
    });
}

}  // namespace

void allow_for_use(Model& actual, Model& expected) {
  leave_out_parts_of_detached(actual, expected);
  grant_what_everybody_has(actual, expected);
  std::erase_if(actual.objects, [&](const Object& object) {
    return is_operators_own(object) && !expected.find(object.type, object.table, object.name);
  });
  std::vector<Object> more;
  std::vector<std::string> unknown;
  for (const auto& table : actual.objects) {
    if (table.type != ObjectType::table || expected.find(table.type, {}, table.name)) continue;
    const auto parent = table.attribute("partition of");
    const auto former = parent.empty() ? former_parent(actual, expected, table) : std::string{};
    if (parent.empty() && former.empty()) continue;
    const Object* pattern = pattern_of(expected, parent.empty() ? former : parent);
    if (!pattern) {
      unknown.push_back(table.name);
      continue;
    }
    auto objects = parent.empty() ? as_it_is(actual, expected, *pattern, table) : like_pattern(expected, *pattern, table);
    more.insert(more.end(), std::make_move_iterator(objects.begin()), std::make_move_iterator(objects.end()));
  }
  for (const auto& name : unknown)
    std::erase_if(actual.objects, [&](const Object& object) { return belongs_to(object, name); });
  expected.objects.insert(expected.objects.end(), std::make_move_iterator(more.begin()),
                          std::make_move_iterator(more.end()));
  sort_objects(expected);
}

}  // namespace quarry::schema
