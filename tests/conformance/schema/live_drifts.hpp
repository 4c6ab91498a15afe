#pragma once
/// Ways in which somebody's hand makes a database differ from what its migrations have made, as statements on the whole
/// schema.

#include <ostream>
#include <string>
#include <vector>

#include "quarry/schema/sql_text.hpp"

namespace quarry::schema::test {

struct LiveDrift {
  std::string name;
  std::string sql;              ///< brings it about
  std::string told;             ///< part of what `validate` must say
  std::size_t differences = 1;  ///< how many it must tell; 0 for any number
  friend void PrintTo(const LiveDrift& drift, std::ostream* out) { *out << drift.name; }
};

std::vector<LiveDrift> live_sqlite_drifts();
std::vector<LiveDrift> live_postgres_drifts();
/// Of the roles, which all databases of a server share: for a server of the tests' own.
std::vector<LiveDrift> live_role_drifts();

}  // namespace quarry::schema::test
