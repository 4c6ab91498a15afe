#pragma once
/// A small schema with one of everything, and ways in which it can come to differ.

#include <ostream>
#include <string>
#include <vector>

#include "quarry/schema/sql_text.hpp"

namespace quarry::schema::test {

/// An edit of the base schema: `from` becomes `to`; an empty `from` adds `to` at the end.
struct Drift {
  Engine engine;
  std::string name;
  std::string from;
  std::string to;
  std::string told;         ///< part of what the comparison must say
  bool by_rebuild = false;  ///< SQLite: cannot be done by ALTER TABLE
  bool loses_rows = false;  ///< the tables' rows do not survive
  friend void PrintTo(const Drift& drift, std::ostream* out) { *out << drift.name; }
};

extern const std::string sqlite_base;
extern const std::string sqlite_rows;
extern const std::string postgres_base;
extern const std::string postgres_rows;
std::vector<Drift> sqlite_drifts();
std::vector<Drift> postgres_drifts();

}  // namespace quarry::schema::test
