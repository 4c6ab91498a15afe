#include "sql/postgres/error_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace quarry::sql::postgres_driver {
namespace {

struct Rule {
  std::string_view state;  ///< five characters, or a class of two
  ErrorCode code;
  bool retryable;
  bool poisons;
  std::string_view client;  ///< what a client reads
};

// The first match counts: single states before their class.
constexpr std::array rules{
    // What the server says of COPY data that it cannot read; the connection is as good as before.
    Rule{"08P01", ErrorCode::bug, false, false, "the server could not read the binary form of a value"},
    Rule{"08", ErrorCode::unavailable, true, true,
         "the connection to the database broke: try again, and look at the server if it goes on"},
    Rule{"0A", ErrorCode::bug, false, false, "the statement needs a feature that this server lacks"},
    Rule{"21", ErrorCode::bug, false, false, "a subquery gave several rows where one is wanted"},
    Rule{"22001", ErrorCode::invalid, false, false, "a text is longer than its column allows: shorten it"},
    Rule{"22003", ErrorCode::invalid, false, false, "a number is out of its column's range"},
    Rule{"22008", ErrorCode::invalid, false, false, "a time is outside of PostgreSQL's calendar"},
    Rule{"22021", ErrorCode::invalid, false, false, "a text is not valid UTF-8 or holds a zero byte: clean it first"},
    Rule{"22P02", ErrorCode::invalid, false, false,
         "a text cannot be read as its column's type (number, enum, address, JSON)"},
    Rule{"22P05", ErrorCode::invalid, false, false, "a character cannot be stored by this database"},
    Rule{"22", ErrorCode::invalid, false, false, "a value is not acceptable to the database"},
    Rule{"23", ErrorCode::constraint, false, false, "a rule of the schema refused the row"},
    Rule{"25006", ErrorCode::denied, false, false, "the transaction may only read"},
    Rule{"25P02", ErrorCode::bug, false, false, "the transaction has failed already: end the closure after an error"},
    Rule{"25P03", ErrorCode::timeout, false, true, "the transaction stood idle too long: do slow work outside of it"},
    Rule{"26", ErrorCode::bug, false, false,
         "the server has forgotten a prepared statement: behind PgBouncer switch server_prepare off"},
    Rule{"28", ErrorCode::denied, false, true, "the server refused the login: check user and password"},
    Rule{"3D000", ErrorCode::unavailable, false, true, "the database does not exist: create it or correct the URL"},
    Rule{"40001", ErrorCode::conflict, true, false, "another transaction changed the same data first: try again"},
    Rule{"40P01", ErrorCode::conflict, true, false, "two transactions waited for each other: try again"},
    Rule{"40", ErrorCode::conflict, false, false, "the transaction was rolled back"},
    Rule{"42P05", ErrorCode::bug, false, false,
         "the server knows a prepared statement of another client: behind PgBouncer switch server_prepare off"},
    Rule{"42501", ErrorCode::denied, false, false,
         "the database user lacks the right to do this: grant it or use another user"},
    Rule{"42P01", ErrorCode::bug, false, false,
         "a table that the query needs does not exist: has the schema been migrated?"},
    Rule{"42703", ErrorCode::bug, false, false,
         "a column that the query needs does not exist: has the schema been migrated?"},
    Rule{"42", ErrorCode::bug, false, false, "the query is not valid on this database: has the schema been migrated?"},
    Rule{"44", ErrorCode::constraint, false, false, "a view's check option refused the row"},
    Rule{"53100", ErrorCode::unavailable, false, false, "the database server's disk is full: free space there"},
    Rule{"53200", ErrorCode::unavailable, false, false, "the database server is out of memory"},
    Rule{"53300", ErrorCode::unavailable, false, true,
         "the database server has too many connections: raise its max_connections or lower connections_max here"},
    Rule{"53", ErrorCode::unavailable, false, false, "the database server lacks a resource"},
    Rule{"54", ErrorCode::invalid, false, false, "the statement or a value is larger than the server allows"},
    Rule{"55P03", ErrorCode::busy, false, false, "another transaction holds a lock on the same rows: try again"},
    Rule{"55", ErrorCode::busy, false, false, "an object is in use or not in the right state for this"},
    Rule{"57014", ErrorCode::timeout, false, false, "the statement took too long and was cancelled"},
    Rule{"57P", ErrorCode::unavailable, true, true,
         "the database server ended the connection: it is shutting down or starting"},
    Rule{"58", ErrorCode::unavailable, false, false, "the database server has trouble with its system"},
    Rule{"P0001", ErrorCode::constraint, false, false, "a rule of the schema refused the change"},
    Rule{"XX001", ErrorCode::corrupt, false, false, "the database server reports damaged data"},
    Rule{"XX002", ErrorCode::corrupt, false, false, "the database server reports a damaged index: reindex it"},
    Rule{"", ErrorCode::bug, false, false, "the database refused the statement"},
};

const Rule& rule_for(std::string_view state) {
  for (const Rule& rule : rules)
    if (state.starts_with(rule.state)) return rule;
  return rules.back();
}

std::string constraint_message(const ServerReport& report) {
  const auto& state = report.sqlstate;
  if (state == "23502") return fmt::format("column '{}' of table '{}' must not be empty", report.column, report.table);
  const std::string_view what = state == "23505"   ? "a row with the same key exists already"
                                : state == "23503" ? "a row that is referred to does not exist, or is still referred to"
                                : state == "23514" ? "a value breaks a rule"
                                : state == "23P01" ? "the row overlaps with another one"
                                                   : "a rule of the schema refused the row";
  std::string text(what);
  if (!report.constraint.empty()) text += fmt::format(" (constraint '{}'", report.constraint);
  if (!report.constraint.empty() && !report.table.empty()) text += fmt::format(" of table '{}'", report.table);
  if (!report.constraint.empty()) text += ")";
  return text;
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

/// The last state in a message like `FATAL:  28P01: password ...`; several hosts give several.
std::string state_in(std::string_view message) {
  std::string found;
  constexpr std::string_view mark = ":  ";
  for (std::size_t at = message.find(mark); at != std::string_view::npos; at = message.find(mark, at + 1)) {
    const auto state = message.substr(at + mark.size(), 5);
    const bool ends = message.substr(at + mark.size() + 5, 2) == ": ";
    const bool valid =
        state.size() == 5 && state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
    if (ends && valid) found = state;
  }
  return found;
}

/// What libpq finds by itself has no state: known by its words, which it says in English while nobody sets a locale.
struct Refusal {
  std::string_view words;
  ErrorCode code;
  std::string_view client;
};

constexpr std::string_view no_such_server =
    "the server is reached, but is not what target_session_attrs asks for: name another server, or take that option out of "
    "the URL";
constexpr std::string_view not_trusted =
    "the server's certificate cannot be checked: name the file of the authority that signed it by sslrootcert in the URL";

constexpr auto refusals = std::to_array<Refusal>({
    {"no password supplied", ErrorCode::denied,
     "the server wants a password, and none is given: put it into the URL, PGPASSWORD or ~/.pgpass"},
    {"does not support SSL", ErrorCode::unavailable,
     "the server is reached, but offers no SSL: switch it on there, or ask for less by sslmode in the URL"},
    {"root certificate file", ErrorCode::unavailable, not_trusted},
    {"certificate verify failed", ErrorCode::unavailable, not_trusted},
    {"does not match host name", ErrorCode::unavailable,
     "the server's certificate is for another host: name the host that it is for, or ask for less by sslmode in the URL"},
    {"session is read-only", ErrorCode::unavailable, no_such_server},
    {"session is not read-only", ErrorCode::unavailable, no_such_server},
    {"in hot standby mode", ErrorCode::unavailable, no_such_server},
    {"could not translate host name", ErrorCode::unavailable,
     "the host's name leads to no address: check it in the URL, and the name server"},
});

const Refusal* refusal_in(std::string_view message) {
  for (const Refusal& refusal : refusals)
    if (message.find(refusal.words) != std::string_view::npos) return &refusal;
  return nullptr;
}

}  // namespace

ServerReport report_of(const PGresult* result) {
  ServerReport report;
  report.sqlstate = field(result, PG_DIAG_SQLSTATE);
  report.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (report.message.empty()) report.message = PQresultErrorMessage(result);
  report.schema = field(result, PG_DIAG_SCHEMA_NAME);
  report.table = field(result, PG_DIAG_TABLE_NAME);
  report.column = field(result, PG_DIAG_COLUMN_NAME);
  report.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  report.routine = field(result, PG_DIAG_SOURCE_FUNCTION);
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  report.fatal = severity == "FATAL" || severity == "PANIC";
  return report;
}

Error make_error(const ServerReport& report) {
  if (report.sqlstate.empty()) return connection_lost(report.message);
  const Rule& rule = rule_for(report.sqlstate);
  std::string client = report.sqlstate.starts_with("23") ? constraint_message(report) : std::string(rule.client);
  Error error(rule.code, std::move(client), {report.message, report.sqlstate, 0});
  error.set_retryable(rule.retryable || is_stale_statement(report));
  error.set_poisons_connection(rule.poisons || report.fatal);
  return error;
}

Error connection_lost(std::string engine_message) {
  Error error(ErrorCode::unavailable,
              "the connection to the database broke: try again, and look at the server if it goes on",
              {std::move(engine_message), "", 0});
  error.set_retryable(true).set_poisons_connection(true);
  return error;
}

bool is_stale_statement(const ServerReport& report) {
  return report.sqlstate == "26000" || report.sqlstate == "42P05" ||
         (report.sqlstate == "0A000" && report.routine.starts_with("RevalidateCached"));
}

Error connect_error(std::string_view where, std::string_view message) {
  const std::string state = state_in(message);
  std::string client = fmt::format("cannot connect to PostgreSQL at {}: ", where);
  ErrorCode code = ErrorCode::unavailable;
  bool retryable = false;
  if (state.empty() && message.starts_with("invalid ")) {
    // libpq could not read a parameter: `invalid sslmode value: "foo"`, `invalid port number: "99999"`.
    code = ErrorCode::invalid;
    client += fmt::format("a parameter of the URL has a value that is none ({}): correct it",
                          message.substr(8, std::min(message.find_first_of(":\"", 8), message.size()) - 8));
  } else if (const Refusal* const refusal = state.empty() ? refusal_in(message) : nullptr) {
    code = refusal->code;
    client += refusal->client;
  } else if (state.empty()) {
    client += "is the server running there, and may it be reached? Check host and port in the URL";
  } else if (state.starts_with("57P")) {
    client += "the server is starting or shutting down: try again";
    retryable = true;
  } else {
    const Rule& rule = rule_for(state);
    code = rule.code == ErrorCode::bug ? ErrorCode::unavailable : rule.code;
    client += rule.client;
  }
  Error error(code, std::move(client), {std::string(message), state, 0});
  error.set_retryable(retryable).set_poisons_connection(true);
  return error;
}

}  // namespace quarry::sql::postgres_driver
