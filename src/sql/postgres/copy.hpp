#pragma once
/// Bulk insert by COPY in binary form: the fastest way into PostgreSQL.

#include <cstdint>

#include "sql/postgres/link.hpp"

namespace quarry::sql::postgres_driver {

/// Sends all `rows`, after what is deferred in the pipeline (BEGIN). Returns the rows inserted. Throws the server's error;
/// also `invalid` when a number does not fit into its column, after which the server has forgotten the rows.
std::int64_t copy_in(Link& link, const BulkPlan& plan, const RowSource& rows, Deadline deadline);

/// One row as COPY wants it.
void encode_copy_row(ByteBuffer& out, const BulkPlan& plan, const Param* params);

}  // namespace quarry::sql::postgres_driver
