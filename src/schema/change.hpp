#pragma once
/// The planners behind `diff.hpp`: statements with the place they take in a script and the object they are for.

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "quarry/schema/diff.hpp"

namespace quarry::schema {

/// An object's identity: type, table, name.
using ObjectKey = std::tuple<ObjectType, std::string, std::string>;
inline ObjectKey key_of(const Object& object) { return {object.type, object.table, object.name}; }

struct Change {
  int phase = 0;  ///< scripts run by phase, and within it in the order in which changes were added
  ObjectKey object;
  std::string sql;
  std::vector<ObjectKey> also{};  ///< other objects that it is for
};

struct ChangePlan {
  std::vector<Change> changes;
  bool rebuild = false;
  bool no_transaction = false;
  bool destructive = false;

  template <class Phase>
  void add(Phase phase, const Object& object, std::string sql) {
    changes.push_back({static_cast<int>(phase), key_of(object), std::move(sql)});
  }
};

ChangePlan plan_sqlite(const Model& actual, const Model& expected);
ChangePlan plan_postgres(const Model& actual, const Model& expected);
/// The right one of the two, its changes in order.
ChangePlan plan_changes(const Model& actual, const Model& expected);

/// Whether the name occurs in the SQL, as a word or in quotes; not inside strings.
bool mentions(Engine engine, std::string_view sql, std::string_view name);

/// Objects by key, and a table's parts.
class ModelIndex {
 public:
  explicit ModelIndex(const Model& model);
  const Object* find(const ObjectKey& key) const;
  const Object* table(const std::string& name) const { return find({ObjectType::table, "", name}); }
  /// In the order of their position, then name.
  std::vector<const Object*> parts(ObjectType type, const std::string& table) const;

 private:
  std::vector<std::pair<ObjectKey, const Object*>> objects_;
};

/// Whether the two are the same in all that is compared.
inline bool same(const Object& a, const Object& b) { return a.attributes == b.attributes && a.valid == b.valid; }

}  // namespace quarry::schema
