#pragma once
/// How rows get into a table in bulk: what the catalogue says of its columns, and which of three ways follows from that.
///
/// | way    | when                                                                    | cost per row (measured, wide rows) |
/// |--------|-------------------------------------------------------------------------|-------|
/// | COPY   | every column's binary form can be made from its parameter, no row-level security | 1.2 us |
/// | unnest | a conflict is to be ignored, a column needs a cast (inet), or few rows  | 2.5 us |
/// | INSERT | as unnest, and a column is an array, which `unnest` would take apart    | 4 us, pipelined |

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quarry/sql/session.hpp"
#include "sql/postgres/pipeline.hpp"
#include "sql/postgres/wire.hpp"

namespace quarry::sql::postgres_driver {

/// Binary form of one column in COPY.
enum class Encoder : std::uint8_t {
  none,  ///< there is none for this kind and type
  boolean,
  int8,
  int4,
  int2,
  float8,
  float4,
  raw,
  jsonb,
  uuid,
  instant,
  int64_array,
  text_array,
  uuid_array,
  instant_array,
};

struct BulkColumn {
  Kind kind;
  Encoder encoder;
  oid::Type element;  ///< of an array column
};

struct BulkPlan {
  std::vector<BulkColumn> columns;
  bool copies = false;      ///< COPY is possible
  bool has_arrays = false;  ///< unnest is not
  std::string copy_sql;
  std::string unnest_sql[2];  ///< by `OnConflict`
  std::string insert_sql[2];
};

/// What a column of the catalogue becomes. `receive` and `element_receive` are names of its types' input functions
/// (`int4recv`), which tell what is on the wire better than the types do: enums, domains and citext share them.
Encoder encoder_for(Kind kind, std::string_view receive, oid::Type element, std::string_view element_receive);

/// The plans of one connection, by table, columns and kinds. Not thread-safe.
class BulkPlans {
 public:
  struct Found {
    const BulkPlan* plan;
    bool fresh;  ///< made just now: it cannot be out of date
  };
  /// Asks the catalogue once. Throws `bug` when the table or a column does not exist.
  Found find(const BulkTarget& target, Pipeline& pipeline, Deadline deadline);
  /// After a schema change.
  void clear() { plans_.clear(); }

 private:
  std::map<std::string, BulkPlan, std::less<>> plans_;
};

}  // namespace quarry::sql::postgres_driver
