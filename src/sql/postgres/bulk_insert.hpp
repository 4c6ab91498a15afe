#pragma once
/// The other two ways in bulk: a prepared statement for every row, pipelined, and INSERT from unnested column arrays.

#include <cstdint>
#include <string_view>

#include "sql/postgres/link.hpp"

namespace quarry::sql::postgres_driver {

/// Runs `text` once per row in segments of 256 statements or about 1 MB, of which two are under way at a time: the server
/// works on one while the next is made. Returns the rows touched in all. (libpq's manual, 34.5.1: a pipeline without bound
/// and without reading deadlocks.)
std::int64_t run_each(Link& link, std::string_view text, Pipeline::Text kind, std::size_t param_count, const RowSource& rows,
                      Deadline deadline);

/// Inserts chunks of 1,000 rows or about 1 MB, each as one statement whose parameters are the columns. No column may be an
/// array.
std::int64_t insert_unnest(Link& link, const BulkPlan& plan, const RowSource& rows, OnConflict on_conflict,
                           Deadline deadline);

}  // namespace quarry::sql::postgres_driver
