#pragma once
/// The two ways to read a schema. See `quarry/schema/model.hpp`.

#include "quarry/schema/model.hpp"

namespace quarry::schema {

Model introspect_sqlite(Read& tx);
Model introspect_postgres(Read& tx);
/// PostgreSQL: owners, roles, rules, grants, and what is switched off, added to the rest.
void introspect_rights(Model& model, Read& tx);

/// Puts the objects into the model's order.
void sort_objects(Model& model);

}  // namespace quarry::schema
