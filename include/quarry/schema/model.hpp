#pragma once
/// A schema as data: every object that the engine knows, spelled by the engine itself.
///
/// On PostgreSQL the texts come from pg_get_constraintdef, pg_get_indexdef, pg_get_expr and their kin, so that two ways to
/// write a default or a CHECK give one text; on SQLite, which keeps the text it was given, from `sqlite_master.sql`, cut
/// into columns and constraints and brought into one spelling. Two schemas are equal when `to_text` of their models is;
/// `diff.hpp` tells how they differ.
///
/// Not in the model: the order of columns (ADD COLUMN puts them last), comments, owners and grants, rows.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/sql_text.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::schema {

/// In the order in which a schema is read and made.
enum class ObjectType {
  extension,
  enumeration,
  domain,
  sequence,
  function,
  table,
  column,
  constraint,
  index,
  view,
  trigger,
  policy
};
std::string_view to_string(ObjectType type) noexcept;

struct Attribute {
  std::string name;
  std::string value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Object {
  ObjectType type = ObjectType::table;
  std::string table;  ///< whose part it is; empty for what stands by itself
  std::string name;   ///< a SQLite constraint without a name is named by its text, a function by its name and argument types
  std::vector<Attribute> attributes;  ///< all that is compared, in a fixed order
  /// False for an index that a failed CREATE INDEX CONCURRENTLY left behind, and for a constraint that is NOT VALID.
  bool valid = true;

  // Not compared: what is needed to make it again.
  std::string create;  ///< the statement that makes it; of a table, where it has one of its own (SQLite, partitions)
  std::string drop;    ///< the statement that removes it
  std::string
      definition;    ///< of a column or constraint: what stands in CREATE TABLE; of a trigger: what brings it into its state
  int position = 0;  ///< of a column in its table

  /// The attribute's value, or an empty text.
  std::string_view attribute(std::string_view attribute_name) const;
};

struct Model {
  Engine engine = Engine::sqlite;
  std::vector<Object> objects;  ///< by type, table and name

  const Object* find(ObjectType type, std::string_view table, std::string_view name) const;
};

/// One line per object and per attribute, in a fixed order: equal texts, equal schemas.
std::string to_text(const Model& model);

/// Reads the schema of the transaction's database: on PostgreSQL the first schema of the search path, without what belongs
/// to an extension. Throws `Error` of the sql layer.
Model introspect(Read& tx);

}  // namespace quarry::schema
