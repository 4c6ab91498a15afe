#pragma once
/// Results of the simple protocol, which come without a pipeline's bookkeeping.

#include <cstdint>

#include "sql/postgres/connection.hpp"

namespace quarry::sql::postgres_driver {

/// Throws the error that `result` stands for, unless its status is `wanted`. Null means that the connection is gone.
void check_simple(Connection& connection, const PGresult* result, ExecStatusType wanted);

/// From the command tag; 0 for commands that touch none.
std::int64_t affected_rows(PGresult* result);

}  // namespace quarry::sql::postgres_driver
