#include "sql/postgres/simple_result.hpp"

#include <charconv>
#include <cstring>

#include "sql/postgres/error_map.hpp"

namespace quarry::sql::postgres_driver {

void check_simple(Connection& connection, const PGresult* result, ExecStatusType wanted) {
  const auto status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
  if (status == wanted || (wanted == PGRES_COMMAND_OK && (status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY))) return;
  if (!result) {
    connection.mark_broken();
    throw connection_lost(PQerrorMessage(connection.handle()));
  }
  if (status != PGRES_FATAL_ERROR) {
    connection.mark_broken();
    throw Error(ErrorCode::bug, "a statement that exchanges COPY data cannot be run here").set_poisons_connection(true);
  }
  const auto report = report_of(result);
  if (report.fatal) connection.mark_broken();
  if (report.sqlstate == "57014") connection.forget_cancel();
  throw make_error(report);
}

std::int64_t affected_rows(PGresult* result) {
  const char* text = PQcmdTuples(result);
  std::int64_t rows = 0;
  std::from_chars(text, text + std::strlen(text), rows);
  return rows;
}

}  // namespace quarry::sql::postgres_driver
