#pragma once
/// From SQLSTATE to `Error`: what happened, whether the transaction may run again, and whether the connection can be used
/// again. (Appendix A of PostgreSQL's manual lists the states.)
///
/// Client messages name constraints, tables and columns, never values: the server's own text, which may hold row
/// data, goes to `engine_message`, and its DETAIL nowhere.

#include <string>
#include <string_view>

#include "quarry/core/error.hpp"
#include "sql/postgres/handles.hpp"

namespace quarry::sql::postgres_driver {

/// What the server says about a failure, in its own parts.
struct ServerReport {
  std::string sqlstate;
  std::string message;
  std::string schema, table, column, constraint;
  std::string routine;  ///< the server's C function; tells apart what shares a state
  bool fatal = false;   ///< the server has closed the connection
};

ServerReport report_of(const PGresult* result);
Error make_error(const ServerReport& report);
/// The connection broke in the middle of a transaction that was not being committed: the whole may run again on another one.
Error connection_lost(std::string engine_message);

/// The server will not execute a prepared statement any more, and a fresh one will do: its result type changed (0A000), or
/// the server has forgotten it (26000).
bool is_stale_statement(const ServerReport& report);

/// Why a connection could not be made. `where` is `db.example.org:5432, database 'quarry', user 'ada'`.
/// `message` is libpq's, at verbosity VERBOSE, where a state is in the text.
Error connect_error(std::string_view where, std::string_view message);

}  // namespace quarry::sql::postgres_driver
