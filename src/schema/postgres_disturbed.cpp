#include "schema/postgres_disturbed.hpp"

#include <algorithm>
#include <string>

#include "schema/postgres_alter.hpp"

namespace quarry::schema {
namespace {

bool rewrites(const Object& actual, const Object& expected) {
  for (const char* name : {"type", "collation", "generated"})
    if (actual.attribute(name) != expected.attribute(name)) return true;
  return false;
}

class Disturbance {
 public:
  Disturbance(const Model& actual, const ModelIndex& there, const std::function<const Object*(const Object&)>& kept)
      : actual_(actual), there_(there), kept_(kept) {}

  std::set<ObjectKey> find() {
    for (const auto& object : actual_.objects) look_at(object);
    for (const auto& [type, table, name] : disturbed_)
      if (type == ObjectType::view) names_.insert(name);
    // Views stand on views: until nothing more is found.
    while (spread()) {
    }
    return std::move(disturbed_);
  }

 private:
  void look_at(const Object& object) {
    const Object* target = kept_(object);
    switch (object.type) {
      case ObjectType::column:
        if (target && !rewrites(object, *target)) return;
        names_.insert(object.table);
        if (target) disturb_column(object, *target);
        return;
      case ObjectType::enumeration:
        if (!target || same(object, *target) || add_enum_values(object, *target)) return;
        names_.insert(object.name);
        disturb_type(object.name);
        return;
      case ObjectType::function:
        if (!target || object.attribute("result") != target->attribute("result"))
          names_.insert(object.name.substr(0, object.name.find('(')));
        return;
      case ObjectType::view:
        if (!target || !same(object, *target)) names_.insert(object.name);
        return;
      default:
        return;
    }
  }

  /// True when another view has been found.
  bool spread() {
    bool found = false;
    for (const auto& object : actual_.objects) {
      const bool code =
          object.type == ObjectType::view || object.type == ObjectType::trigger || object.type == ObjectType::policy;
      if (!code || disturbed_.contains(key_of(object)) || !kept_(object)) continue;
      const bool touched = std::any_of(names_.begin(), names_.end(), [&](const auto& name) {
        return name != object.table && name != object.name && mentions(Engine::postgres, object.create, name);
      });
      if (!touched) continue;
      disturbed_.insert(key_of(object));
      if (object.type == ObjectType::view) found = names_.insert(object.name).second || found;
    }
    return found;
  }

  /// Triggers and policies that name a column keep it from changing; a column that is made anew takes indexes and
  /// constraints with it.
  void disturb_column(const Object& column, const Object& target) {
    disturb_parts(column, {ObjectType::trigger, ObjectType::policy});
    if (must_replace_column(column, target)) disturb_parts(column, {ObjectType::constraint, ObjectType::index});
  }

  void disturb_parts(const Object& column, std::initializer_list<ObjectType> types) {
    for (const ObjectType type : types)
      for (const Object* part : there_.parts(type, column.table))
        if (kept_(*part) && mentions(Engine::postgres, part->create, column.name)) disturbed_.insert(key_of(*part));
  }

  /// Constants of a type that is made anew stand in the columns' indexes, constraints, triggers and functions.
  void disturb_type(const std::string& type) {
    for (const auto& object : actual_.objects) {
      const bool holds_constants = object.type == ObjectType::index || object.type == ObjectType::constraint ||
                                   object.type == ObjectType::trigger || object.type == ObjectType::policy ||
                                   object.type == ObjectType::function || object.type == ObjectType::view;
      if (holds_constants && kept_(object) && mentions(Engine::postgres, object.create, type))
        disturbed_.insert(key_of(object));
    }
  }

  const Model& actual_;
  const ModelIndex& there_;
  const std::function<const Object*(const Object&)>& kept_;
  std::set<ObjectKey> disturbed_;
  std::set<std::string>
      names_;  ///< of tables, views, functions and types that are replaced or change under those who name them
};

}  // namespace

std::set<ObjectKey> disturbed_objects(const Model& actual, const ModelIndex& there,
                                      const std::function<const Object*(const Object&)>& kept) {
  return Disturbance(actual, there, kept).find();
}

std::vector<const Object*> in_order_of_creation(const Model& model, const ModelIndex& index) {
  std::vector<const Object*> order;
  std::set<const Object*> placed;
  const auto place = [&](const Object& object, auto&& self) -> void {
    if (!placed.insert(&object).second) return;
    if (object.type == ObjectType::table)
      if (const Object* parent = index.table(std::string(object.attribute("partition of")))) self(*parent, self);
    if (object.type == ObjectType::view)
      for (const auto& other : model.objects)
        if (other.type == ObjectType::view && mentions(Engine::postgres, object.create, other.name)) self(other, self);
    order.push_back(&object);
  };
  for (const auto& object : model.objects) place(object, place);
  return order;
}

}  // namespace quarry::schema
