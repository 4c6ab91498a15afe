#pragma once
/// ALTER statements for PostgreSQL's objects that can be changed in place.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quarry/schema/model.hpp"

namespace quarry::schema {

/// From one state of a column to the other; both have the same name. A generated column whose expression changes cannot be
/// altered.
std::vector<std::string> alter_column(const Object& table, const Object& actual, const Object& expected);
bool must_replace_column(const Object& actual, const Object& expected);

/// Row security, options, persistence; not what needs an index to be there.
std::vector<std::string> alter_table_settings(const Object& actual, const Object& expected);
/// Empty when it is as it should be.
std::string alter_replica_identity(const Object& actual, const Object& expected);

/// Default, NOT NULL and constraints; nothing when the type underneath changes, which cannot be altered.
std::vector<std::string> alter_domain(const Object& actual, const Object& expected);

/// CREATE TABLE with the columns and constraints in `parts`.
std::string create_table(const Object& table, const std::vector<const Object*>& columns,
                         const std::vector<const Object*>& constraints);

std::vector<std::string> enum_labels(const Object& enumeration);
/// ADD VALUE for each label that is missing; nothing when labels have gone or changed places.
std::optional<std::vector<std::string>> add_enum_values(const Object& actual, const Object& expected);

/// Values cannot be taken out of an enum nor change places: a new type takes over, column by column. `kept` gives what a
/// column is to become, or null when it goes.
struct EnumReplacement {
  std::vector<std::string> types;    ///< the old one gets another name, the new one comes
  std::vector<std::string> columns;  ///< of tables
  std::string drop;                  ///< the old one goes
};
EnumReplacement replace_enum_type(const Model& actual, const Object& target,
                                  const std::function<const Object*(const Object&)>& kept);

/// The numbers of an identity column; nothing when they are drawn as they should be.
std::string alter_identity_sequence(const Object& table, const Object& actual, const Object& expected);

/// A role's rights beyond those of one that was just made.
std::vector<std::string> alter_role(const Object& actual, const Object& expected);

/// REVOKE and GRANT, in the place and for the owner of the actual schema, each with the grant that it is for. What
/// `is_made_anew` tells of an expected object: its rights are those of a new one.
std::vector<std::pair<const Object*, std::string>> plan_grants(const Model& actual, const Model& expected,
                                                               const std::function<bool(const Object&)>& is_made_anew);

/// The column's name as SQL.
std::string column_name_sql(const Object& column);

}  // namespace quarry::schema
