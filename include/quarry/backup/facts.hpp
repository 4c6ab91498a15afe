#pragma once
/// What a database holds, in figures that two copies of it share and two different ones do not.
///
/// Errors: none. Thread safety: values and pure functions.

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace quarry::backup {

struct TableFacts {
  std::string name;
  std::int64_t rows = 0;
  /// Of every value of every row, in hexadecimal. SQLite: BLAKE2b in the order of the key. PostgreSQL: the sum of the rows'
  /// MD5, which the server makes, whatever their order.
  std::string digest;
  friend bool operator==(const TableFacts&, const TableFacts&) = default;
};
BOOST_DESCRIBE_STRUCT(TableFacts, (), (name, rows, digest))

struct DatabaseFacts {
  std::string engine;          ///< `sqlite` or `postgresql`
  std::string engine_version;  ///< of the one that the backup was made with; not compared
  std::int64_t schema_version = 0;
  std::string schema_digest;
  std::vector<TableFacts> tables;  ///< by name

  /// Of all tables.
  std::int64_t rows() const;
};
BOOST_DESCRIBE_STRUCT(DatabaseFacts, (), (engine, engine_version, schema_version, schema_digest, tables))

/// Empty when they are alike; else what the first difference is, without row data.
std::string difference(const DatabaseFacts& expected, const DatabaseFacts& found);

}  // namespace quarry::backup
