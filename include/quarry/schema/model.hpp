#pragma once
/// A schema as data: every object that the engine knows, spelled by the engine itself.
///
/// On PostgreSQL the texts come from pg_get_constraintdef, pg_get_indexdef, pg_get_expr and their kin, so that two ways to
/// write a default or a CHECK give one text; on SQLite, which keeps the text it was given, from `sqlite_master.sql`, cut
/// into columns and constraints and brought into one spelling. Two schemas are equal when `to_text` of their models is;
/// `diff.hpp` tells how they differ.
///
/// Rights are told by how they differ from those that an object begins with. An owner is told only when it is not the one
/// that the migrator's tables have, so that schemas of two owners can be equal.
///
/// Not in the model: the order of columns (ADD COLUMN puts them last), comments, tablespaces, statistics, rows but for those
/// that the migrations bring along.
///
/// Errors: those of the database. Thread safety: values and pure functions.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/sql_text.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::schema {

/// In the order in which a schema is read and made.
enum class ObjectType {
  role,  ///< the two that Quarry works as: what they can do, beyond what a plain role can
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
  rule,
  policy,
  grant,  ///< on a table, named `to ROLE` or `(COLUMN) to ROLE`; on others `function f() to ROLE`; `public` is everybody
  row     ///< one that the migrations bring along, named by its key
};
/// The name, as commands print it.
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
  std::string create;  ///< the statement that makes it; of a table, where it has one of its own (SQLite, partitions); of a
                       ///< grant: what its statements begin with
  std::string drop;    ///< the statement that removes it; of a grant: to whom, as SQL, empty for the owner
  std::string definition;  ///< of a column or constraint: what stands in CREATE TABLE; of a trigger: what brings it into its
                           ///< state; of a grant: on what, as SQL
  int position = 0;        ///< of a column in its table
  std::string
      base{};  ///< of a grant: the privileges of the grantee when the object is new; of a row: the statement that mends it

  /// The attribute's value, or an empty text.
  std::string_view attribute(std::string_view attribute_name) const;
};

struct Model {
  Engine engine = Engine::sqlite;
  std::vector<Object> objects;  ///< by type, table and name
  std::string owner{};          ///< PostgreSQL: whose the schema's objects are, as SQL
  std::string schema{};         ///< PostgreSQL: where they stand, as SQL

  /// Null when there is none.
  const Object* find(ObjectType type, std::string_view table, std::string_view name) const;
};

/// One line per object and per attribute, in a fixed order: equal texts, equal schemas.
std::string to_text(const Model& model);

/// Reads the schema of the transaction's database: on PostgreSQL the first schema of the search path, without what belongs
/// to an extension. Throws `Error` of the sql layer.
Model introspect(Read& tx);

}  // namespace quarry::schema
