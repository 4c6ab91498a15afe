#pragma once
/// One exception type for everything that cannot be helped at the place where it happens.
///
/// Absence is `std::optional`; an expected outcome (queue empty, lease lost, wrong password) is a value. An `Error` is
/// thrown when the caller could not have expected the result: the server is down, the input is malformed, a rule of
/// the schema is broken. It tells a caller what to *do* by properties instead of by a tree of types; the design follows
/// libpqxx 8 (`failure` with `poisons_connection`) and Boost.MySQL (client message apart from the server's).
///
/// Thread safety: an `Error` is immutable once it has been thrown, but for `add_query`, which the sql layer calls while it
/// unwinds on the throwing thread.
///
/// Errors of the functions here: `throw_invalid` and `throw_bug` throw what their names say; the rest never fails.

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace quarry {

/// What kind of trouble it is. The process exit code of the command line follows from it (`docs/exit-codes.md`).
enum class ErrorCode {
  unavailable,  ///< the engine, a file or a host cannot be reached
  timeout,      ///< a deadline passed
  busy,         ///< somebody else holds what is needed; trying again may help
  conflict,     ///< the transaction lost against another one (40001, 40P01), or the state has moved on
  constraint,   ///< a UNIQUE, CHECK, NOT NULL or foreign key rule refused it
  not_found,    ///< what was named does not exist
  invalid,      ///< the caller's input is wrong
  denied,       ///< the caller may not do this
  corrupt,      ///< stored data contradicts itself or its checksum
  bug,          ///< the program contradicts itself; report it
};

/// The name, as commands print it.
std::string_view to_string(ErrorCode code) noexcept;

/// Where an engine's own words go. They may hold row data, so they reach neither a client nor a log above `debug`.
struct EngineDetail {
  std::string message;   ///< as the engine wrote it
  std::string sqlstate;  ///< five characters on PostgreSQL, empty on SQLite
  int native_code = 0;   ///< SQLite's extended result code, errno, or 0
};

class Error : public std::runtime_error {
 public:
  /// `client_message` is fit for whoever made the request: it names the input and the remedy, and holds no row data,
  /// no secret and no server text. Passwords in URLs that it repeats are masked.
  Error(ErrorCode code, std::string client_message, EngineDetail detail = {},
        std::source_location where = std::source_location::current());

  ErrorCode code() const noexcept { return code_; }
  const std::string& client_message() const noexcept { return client_message_; }
  const std::string& engine_message() const noexcept { return detail_.message; }
  const std::string& sqlstate() const noexcept { return detail_.sqlstate; }
  int native_code() const noexcept { return detail_.native_code; }
  /// The name of the query that failed (`queue.claim`), or empty.
  const std::string& query_name() const noexcept { return query_name_; }
  const std::source_location& where() const noexcept { return where_; }

  /// The whole transaction may be run again and may then succeed.
  bool retryable() const noexcept { return retryable_; }
  /// The connection broke while COMMIT was under way: the work may or may not have been done. Never retried by the library.
  bool outcome_unknown() const noexcept { return outcome_unknown_; }
  /// The connection must not be used again.
  bool poisons_connection() const noexcept { return poisons_connection_; }

  /// Sets `retryable()`.
  Error& set_retryable(bool value) noexcept {
    retryable_ = value;
    return *this;
  }
  /// Sets `outcome_unknown()`.
  Error& set_outcome_unknown(bool value) noexcept {
    outcome_unknown_ = value;
    return *this;
  }
  /// Sets `poisons_connection()`.
  Error& set_poisons_connection(bool value) noexcept {
    poisons_connection_ = value;
    return *this;
  }
  /// Keeps the first name that it is given: the innermost query is the one that failed.
  Error& add_query(std::string_view name);

 private:
  ErrorCode code_;
  std::string client_message_;
  EngineDetail detail_;
  std::string query_name_;
  std::source_location where_;
  bool retryable_ = false;
  bool outcome_unknown_ = false;
  bool poisons_connection_ = false;
};

/// Throws `ErrorCode::invalid`: the caller's input is wrong.
[[noreturn]] void throw_invalid(std::string client_message, std::source_location where = std::source_location::current());

/// Throws `ErrorCode::bug`: the program contradicts itself.
[[noreturn]] void throw_bug(std::string message, std::source_location where = std::source_location::current());

}  // namespace quarry
