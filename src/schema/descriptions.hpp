#pragma once
/// What `schema/*.sql` says in its comments.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {

struct TableDescription {
  std::string name;
  std::string section;  ///< the heading that it stands under
  std::string text;     ///< the comment before it
  std::map<std::string, std::string> columns;
};

struct Descriptions {
  std::vector<TableDescription> tables;          ///< in the order of the file
  std::map<std::string, std::string> functions;  ///< by name
};

/// Throws `invalid` for a text that cannot be cut.
Descriptions read_descriptions(Engine engine, std::string_view script);

}  // namespace quarry::schema
