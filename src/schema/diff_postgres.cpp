#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "schema/change.hpp"
#include "schema/postgres_alter.hpp"
#include "schema/postgres_disturbed.hpp"

namespace quarry::schema {
namespace {

/// What must be out of the way goes first, in the reverse order of what it stands on; then everything comes in that order.
enum class Phase {
  roles,
  drop_policies,
  drop_triggers,
  drop_views,
  drop_foreign_keys,
  drop_indexes,
  drop_constraints,
  drop_columns,
  drop_tables,
  drop_sequences,
  drop_functions,
  extensions,
  types,
  domains,
  sequences,
  early_functions,
  create_tables,
  alter_tables,
  alter_columns,
  drop_types,
  drop_domains,
  late_functions,
  constraints,
  indexes,
  rows,
  foreign_keys,
  validate,
  views,
  triggers,
  policies,
  replica_identity,
  owners,
  grants,
};

bool is_foreign_key(const Object& object) {
  return object.type == ObjectType::constraint && object.attribute("kind") == "f";
}

class PostgresPlanner {
 public:
  PostgresPlanner(const Model& actual, const Model& expected)
      : actual_(actual), expected_(expected), there_(actual), wanted_(expected) {}

  ChangePlan plan() {
    find_replaced_tables();
    redo_ = disturbed_objects(actual_, there_, [this](const Object& object) { return kept(object); });
    auto order = in_order_of_creation(actual_, there_);
    std::reverse(order.begin(), order.end());
    for (const Object* object : order) {
      if (object->type == ObjectType::grant) continue;
      const Object* target = kept(*object);
      if (target && !redo_.contains(key_of(*object)) && (same(*object, *target) || change(*object, *target))) continue;
      drop(*object);
      redo_.insert(key_of(*object));
    }
    for (const Object* object : in_order_of_creation(expected_, wanted_))
      if (!there_.find(key_of(*object)) || redo_.contains(key_of(*object))) create(*object);
    for (auto& [grant, sql] : plan_grants(actual_, expected_, [this](const Object& thing) { return is_made_anew(thing); }))
      plan_.add(Phase::grants, *grant, std::move(sql));
    drop_tables();
    check_new_enum_values();
    return std::move(plan_);
  }

 private:
  static const std::string& table_of(const Object& object) {
    return object.type == ObjectType::table ? object.name : object.table;
  }

  /// What the object is to become; null when it goes, by itself or with its table.
  const Object* kept(const Object& object) const {
    return replaced_.contains(table_of(object)) ? nullptr : wanted_.find(key_of(object));
  }
  bool table_goes(const Object& object) const {
    return !object.table.empty() && there_.table(object.table) &&
           (replaced_.contains(object.table) || !wanted_.table(object.table));
  }
  bool table_comes(const Object& object) const {
    return !object.table.empty() && wanted_.table(object.table) &&
           (replaced_.contains(object.table) || !there_.table(object.table));
  }

  /// A detached partition can be attached again, with its rows.
  static bool is_attached(const Object& table, const Object& target) {
    return table.attribute("partition of").empty() && !target.attribute("partition of").empty() &&
           table.attribute("partitioned by") == target.attribute("partitioned by");
  }

  /// A table cannot be turned into a partitioned one, nor a partition into another.
  void find_replaced_tables() {
    for (const auto& object : actual_.objects) {
      if (object.type != ObjectType::table) continue;
      const Object* target = wanted_.find(key_of(object));
      if (!target) continue;
      if (is_attached(object, *target)) continue;
      for (const char* name : {"partitioned by", "partition of", "bound"})
        if (object.attribute(name) != target->attribute(name)) replaced_.insert(object.name);
    }
    // A partition goes with its parent, and comes back with it.
    for (const auto& object : actual_.objects)
      if (object.type == ObjectType::table && replaced_.contains(std::string(object.attribute("partition of"))))
        replaced_.insert(object.name);
  }

  void drop(const Object& object) {
    // What belongs to a table goes with it; foreign keys go first, so that tables can go in any order.
    if (table_goes(object) && !is_foreign_key(object)) return;
    switch (object.type) {
      case ObjectType::extension:
        return plan_.add(Phase::drop_functions, object, object.drop);
      case ObjectType::enumeration:
        return plan_.add(Phase::drop_types, object, object.drop);
      case ObjectType::domain:
        return plan_.add(Phase::drop_domains, object, object.drop);
      // It may be gone with the column that owned it.
      case ObjectType::sequence:
        return plan_.add(Phase::drop_sequences, object,
                         "drop sequence if exists" + object.drop.substr(std::string_view("drop sequence").size()));
      case ObjectType::function:
        return plan_.add(Phase::drop_functions, object, object.drop);
      case ObjectType::table:
        plan_.destructive = true;
        going_.push_back(&object);
        return;
      case ObjectType::column:
        plan_.destructive = true;
        return plan_.add(Phase::drop_columns, object, object.drop);
      case ObjectType::constraint:
        return plan_.add(is_foreign_key(object) ? Phase::drop_foreign_keys : Phase::drop_constraints, object, object.drop);
      case ObjectType::index:
        return plan_.add(Phase::drop_indexes, object, object.drop);
      case ObjectType::view:
        return plan_.add(Phase::drop_views, object, object.drop);
      case ObjectType::trigger:
        return plan_.add(Phase::drop_triggers, object, object.drop);
      case ObjectType::rule:
        return plan_.add(Phase::drop_triggers, object, object.drop);
      case ObjectType::policy:
        return plan_.add(Phase::drop_policies, object, object.drop);
      case ObjectType::row:
        return plan_.add(Phase::rows, object, object.drop);
      case ObjectType::role:  // other databases may use it
      case ObjectType::grant:
        return;
    }
  }

  /// In one statement, because they may refer to each other.
  void drop_tables() {
    if (going_.empty()) return;
    std::vector<std::string> names;
    // A partition goes with its parent.
    const auto goes = [&](std::string_view name) {
      return std::any_of(going_.begin(), going_.end(), [&](auto* table) { return table->name == name; });
    };
    for (const Object* table : going_)
      if (!goes(table->attribute("partition of"))) names.push_back(table->definition);
    plan_.add(Phase::drop_tables, *going_.front(), fmt::format("drop table {}", fmt::join(names, ", ")));
    for (const Object* table : going_) plan_.changes.back().also.push_back(key_of(*table));
    plan_.changes.back().also.erase(plan_.changes.back().also.begin());
  }

  void create(const Object& object) {
    switch (object.type) {
      case ObjectType::role:
        return plan_.add(Phase::roles, object, object.create);
      case ObjectType::extension:
        return plan_.add(Phase::extensions, object, object.create);
      case ObjectType::enumeration:
        return plan_.add(Phase::types, object, object.create);
      case ObjectType::domain:
        return plan_.add(Phase::domains, object, object.create);
      case ObjectType::sequence:
        return plan_.add(Phase::sequences, object, object.create);
      case ObjectType::function:
        return plan_.add(function_phase(object), object, object.create);
      case ObjectType::table:
        return create_whole_table(object);
      case ObjectType::column:
        if (table_comes(object)) return;
        plan_.add(Phase::alter_columns, object, object.create);
        return create_identity_sequence(object, object);
      case ObjectType::constraint:
        return create_constraint(object);
      case ObjectType::index:
        return plan_.add(Phase::indexes, object, object.create);
      case ObjectType::view:
        return plan_.add(Phase::views, object, object.create);
      case ObjectType::trigger:
      case ObjectType::rule:
        plan_.add(Phase::triggers, object, object.create);
        if (object.attribute("state") != "enable") plan_.add(Phase::triggers, object, object.definition);
        return;
      case ObjectType::policy:
        return plan_.add(Phase::policies, object, object.create);
      case ObjectType::row:
        return plan_.add(Phase::rows, object, object.create);
      case ObjectType::grant:  // all at once: see postgres_grants.cpp
        return;
    }
  }

  /// Whether it will have been made anew, and so begins with the rights that new things have.
  bool is_made_anew(const Object& wanted) const {
    const Object* old = there_.find(key_of(wanted));
    if (!old || redo_.contains(key_of(wanted)) || replaced_.contains(table_of(wanted))) return true;
    return wanted.type == ObjectType::enumeration && !add_enum_values(*old, wanted);
  }

  /// Before the tables when a column or a constraint calls it, otherwise behind them, because SQL functions name tables.
  Phase function_phase(const Object& function) const {
    const auto name = function.name.substr(0, function.name.find('('));
    for (const auto& object : expected_.objects)
      if ((object.type == ObjectType::column || object.type == ObjectType::constraint ||
           object.type == ObjectType::domain) &&
          mentions(Engine::postgres, object.type == ObjectType::domain ? object.create : object.definition, name))
        return Phase::early_functions;
    return Phase::late_functions;
  }

  void create_whole_table(const Object& table) {
    std::vector<const Object*> constraints;
    for (const Object* constraint : wanted_.parts(ObjectType::constraint, table.name))
      if (!is_foreign_key(*constraint) && constraint->valid) constraints.push_back(constraint);
    plan_.add(Phase::create_tables, table, create_table(table, wanted_.parts(ObjectType::column, table.name), constraints));
    for (auto& sql : alter_table_settings(Object{}, table)) plan_.add(Phase::alter_tables, table, std::move(sql));
    if (auto sql = alter_replica_identity(Object{}, table); !sql.empty())
      plan_.add(Phase::replica_identity, table, std::move(sql));
    for (const Object* column : wanted_.parts(ObjectType::column, table.name)) {
      create_identity_sequence(table, *column);
      if (!column->attribute("storage").empty())
        plan_.add(Phase::alter_columns, table,
                  fmt::format("alter table {} alter column {} set storage {}", table.definition, column_name_sql(*column),
                              column->attribute("storage")));
    }
  }

  void create_identity_sequence(const Object& whole, const Object& column) {
    auto sql = alter_identity_sequence(*wanted_.table(column.table), Object{}, column);
    if (!sql.empty()) plan_.add(Phase::alter_columns, whole, std::move(sql));
  }

  void create_constraint(const Object& constraint) {
    const bool with_table = table_comes(constraint) && wanted_.table(constraint.table)->create.empty();
    if (with_table && !is_foreign_key(constraint) && constraint.valid) return;
    plan_.add(is_foreign_key(constraint) ? Phase::foreign_keys : Phase::constraints, constraint,
              constraint.valid ? constraint.create : constraint.create + " not valid");
  }

  /// In place; false when it must be dropped and made anew.
  bool change(const Object& object, const Object& target) {
    if (change_owner(object, target)) return true;
    switch (object.type) {
      case ObjectType::role:
        for (auto& sql : alter_role(object, target)) plan_.add(Phase::roles, target, std::move(sql));
        return true;
      case ObjectType::row:
        plan_.add(Phase::rows, target, target.base);
        return true;
      case ObjectType::enumeration:
        return change_enum(object, target), true;
      case ObjectType::domain: {
        const auto statements = alter_domain(object, target);
        for (const auto& sql : statements) plan_.add(Phase::domains, target, sql);
        return !statements.empty();
      }
      case ObjectType::sequence:
        plan_.add(Phase::sequences, target,
                  fmt::format("alter {} {}{}", target.drop.substr(std::string_view("drop ").size()), target.definition,
                              target.definition.ends_with(" cycle") ? "" : " no cycle"));
        return true;
      case ObjectType::function:
        if (object.attribute("result") != target.attribute("result")) return false;
        create(target);
        return true;
      case ObjectType::table:
        if (is_attached(object, target))
          plan_.add(Phase::alter_tables, target,
                    fmt::format("alter table {} attach partition {} {}",
                                quoted_name(std::string(target.attribute("partition of"))), target.definition,
                                target.attribute("bound")));
        for (auto& sql : alter_table_settings(object, target)) plan_.add(Phase::alter_tables, target, std::move(sql));
        if (auto sql = alter_replica_identity(object, target); !sql.empty())
          plan_.add(Phase::replica_identity, target, std::move(sql));
        return true;
      case ObjectType::column:
        return change_column(object, target);
      case ObjectType::constraint: {
        if (object.attributes != target.attributes || !target.valid) return false;
        auto sql = object.drop;
        sql.replace(sql.rfind(" drop constraint "), std::string_view(" drop constraint ").size(), " validate constraint ");
        plan_.add(Phase::validate, target, std::move(sql));
        return true;
      }
      case ObjectType::trigger:
      case ObjectType::rule:
        if (object.attribute("definition") != target.attribute("definition")) return false;
        plan_.add(Phase::triggers, target, target.definition);
        return true;
      default:
        return false;
    }
  }

  /// True when nothing else is to be changed.
  bool change_owner(const Object& object, const Object& target) {
    const auto owner = target.attribute("owner");
    if (object.attribute("owner") == owner) return false;
    plan_.add(Phase::owners, target,
              fmt::format("alter {} owner to {}", target.drop.substr(std::string_view("drop ").size()),
                          owner.empty() ? actual_.owner : owner));
    const auto others = [](const Object& one) {
      auto attributes = one.attributes;
      std::erase_if(attributes, [](const Attribute& a) { return a.name == "owner"; });
      return attributes;
    };
    return object.valid == target.valid && others(object) == others(target);
  }

  bool change_column(const Object& object, const Object& target) {
    if (must_replace_column(object, target)) {
      plan_.add(Phase::drop_columns, object, object.drop);
      plan_.add(Phase::alter_columns, target, target.create);
      return true;  // only its expression changes, and nothing is lost
    }
    const Object* table = wanted_.table(target.table);
    for (auto& sql : alter_column(*table, object, target)) plan_.add(Phase::alter_columns, target, std::move(sql));
    return true;
  }

  void change_enum(const Object& object, const Object& target) {
    if (auto statements = add_enum_values(object, target)) {
      for (auto& sql : *statements) plan_.add(Phase::types, target, std::move(sql));
      const auto old_labels = enum_labels(object);
      for (const auto& label : enum_labels(target))
        if (std::find(old_labels.begin(), old_labels.end(), label) == old_labels.end()) new_labels_.insert(label);
      return;
    }
    replace_enum(target);
  }

  void replace_enum(const Object& target) {
    const auto replacement = replace_enum_type(actual_, target, [this](const Object& object) { return kept(object); });
    for (const auto& sql : replacement.types) plan_.add(Phase::types, target, sql);
    for (const auto& sql : replacement.columns) plan_.add(Phase::alter_tables, target, sql);
    plan_.add(Phase::drop_types, target, replacement.drop);
  }

  /// A value that was added cannot be used before it is committed.
  void check_new_enum_values() {
    for (const auto& change : plan_.changes)
      for (const auto& label : new_labels_)
        if (change.phase > static_cast<int>(Phase::types) && change.sql.find(label) != std::string::npos)
          plan_.no_transaction = true;
  }

  const Model& actual_;
  const Model& expected_;
  ModelIndex there_;
  ModelIndex wanted_;
  ChangePlan plan_;
  std::set<std::string> replaced_;    ///< tables that are dropped and made anew
  std::set<ObjectKey> redo_;          ///< other objects that are, though they do not change
  std::vector<const Object*> going_;  ///< tables to drop
  std::set<std::string> new_labels_;  ///< enum values that are added, as literals
};

}  // namespace

ChangePlan plan_postgres(const Model& actual, const Model& expected) { return PostgresPlanner(actual, expected).plan(); }

}  // namespace quarry::schema
