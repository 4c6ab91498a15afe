#include "quarry/schema/model.hpp"

#include <algorithm>
#include <tuple>

#include "schema/introspect.hpp"

namespace quarry::schema {

std::string_view to_string(ObjectType type) noexcept {
  switch (type) {
    case ObjectType::role:
      return "role";
    case ObjectType::extension:
      return "extension";
    case ObjectType::enumeration:
      return "enum";
    case ObjectType::domain:
      return "domain";
    case ObjectType::sequence:
      return "sequence";
    case ObjectType::function:
      return "function";
    case ObjectType::table:
      return "table";
    case ObjectType::column:
      return "column";
    case ObjectType::constraint:
      return "constraint";
    case ObjectType::index:
      return "index";
    case ObjectType::view:
      return "view";
    case ObjectType::trigger:
      return "trigger";
    case ObjectType::policy:
      return "policy";
    case ObjectType::rule:
      return "rule";
    case ObjectType::grant:
      return "grant";
    case ObjectType::row:
      return "row";
  }
  return "object";
}

std::string_view Object::attribute(std::string_view attribute_name) const {
  for (const auto& attribute : attributes)
    if (attribute.name == attribute_name) return attribute.value;
  return {};
}

const Object* Model::find(ObjectType type, std::string_view table, std::string_view name) const {
  for (const auto& object : objects)
    if (object.type == type && object.table == table && object.name == name) return &object;
  return nullptr;
}

std::string to_text(const Model& model) {
  std::string text;
  for (const auto& object : model.objects) {
    text.append(to_string(object.type)).append(" ");
    if (!object.table.empty()) text.append(object.table).append(".");
    text.append(object.name).append(object.valid ? "\n" : " (invalid)\n");
    for (const auto& attribute : object.attributes)
      text.append("  ").append(attribute.name).append(": ").append(attribute.value).append("\n");
  }
  return text;
}

void sort_objects(Model& model) {
  const auto key = [](const Object& o) { return std::tie(o.type, o.table, o.name); };
  std::sort(model.objects.begin(), model.objects.end(), [&](auto& a, auto& b) { return key(a) < key(b); });
}

Model introspect(Read& tx) {
  Model model = tx.engine() == Engine::sqlite ? introspect_sqlite(tx) : introspect_postgres(tx);
  sort_objects(model);
  return model;
}

}  // namespace quarry::schema
