#pragma once
/// The text of a SQLite CREATE TABLE, taken apart: SQLite keeps what it was given, and ALTER TABLE edits it.

#include <string>
#include <string_view>
#include <vector>

namespace quarry::schema {

struct TablePart {
  std::string name;        ///< of the column or constraint; a constraint without a name is named by its text
  std::string definition;  ///< as written, comments and all
  std::string normalised;  ///< in one spelling, without the column's name or `constraint NAME`
};

struct TableText {
  std::vector<TablePart> columns;
  std::vector<TablePart> constraints;
  std::string before_name;  ///< as written: up to the table's name
  std::string after_name;   ///< as written: from the opening parenthesis on
  std::string options;      ///< normalised: `strict`, `without rowid`
};

/// `sql` is what sqlite_master holds for an ordinary table. Throws `Error` (corrupt) when it cannot be read.
TableText parse_create_table(std::string_view sql);

}  // namespace quarry::schema
