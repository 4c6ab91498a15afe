#pragma once
/// A live schema as pages for people: an entity diagram, and a reference of every table.
///
///     const auto model = schema::introspect(db);
///     std::cout << schema::diagram_page(model) << schema::reference_page(model);
///
/// What a schema is comes from the engine; what its tables and columns are for comes from the comments in `schema/*.sql`:
/// those right before a CREATE TABLE, before a column, or behind it on its line. Tables stand in the order of that file,
/// under its headings; what it does not know comes last. Partitions are told with their table. The same schema gives the
/// same bytes.
///
/// Errors: `invalid` for a text that cannot be cut. Thread safety: pure functions.

#include <string>

#include "quarry/schema/migration.hpp"
#include "quarry/schema/model.hpp"

namespace quarry::schema {

/// Markdown with Mermaid's `erDiagram`: one of all tables and how they refer to each other, and one for each heading with
/// the columns.
std::string diagram_page(const Model& model, const DesiredSchema& described = DesiredSchema::embedded());

/// Markdown: for each table what it is for, its columns, keys, checks, indexes and triggers, and on PostgreSQL its policies
/// and who may do what; then enums, functions and views.
std::string reference_page(const Model& model, const DesiredSchema& described = DesiredSchema::embedded());

}  // namespace quarry::schema
