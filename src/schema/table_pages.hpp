#pragma once
/// A model as what a page tells of each table, the same for both engines.

#include <string>
#include <utility>
#include <vector>

#include "quarry/schema/model.hpp"
#include "schema/descriptions.hpp"

namespace quarry::schema {

struct ColumnPage {
  std::string name;
  std::string type;
  std::string default_value;
  std::string note;  ///< generated, identity, collation
  bool not_null = false;
  std::string text;  ///< what it is for
};

struct ReferencePage {
  std::vector<std::string> columns;
  std::string table;
  std::vector<std::string> targets;  ///< empty: its primary key
  std::string actions;               ///< `on delete cascade`
};

using Named = std::pair<std::string, std::string>;  ///< a name, and a definition without it

struct TablePage {
  std::string name;
  std::string section;
  std::string text;
  std::string kind;  ///< `strict`, `partitioned by RANGE (created_at)`, the text of a virtual table
  std::vector<ColumnPage> columns;
  std::vector<std::string> primary_key;
  std::vector<std::vector<std::string>> uniques;
  std::vector<ReferencePage> references;
  std::vector<std::string> checks;
  std::vector<Named> indexes;
  std::vector<Named> triggers;
  std::vector<Named> policies;
  std::vector<Named> grants;
};

/// In the order of the descriptions, without partitions.
std::vector<TablePage> table_pages(const Model& model, const Descriptions& descriptions);

/// Without comments, and with one space where there is any.
std::string one_line(Engine engine, std::string_view sql);

}  // namespace quarry::schema
