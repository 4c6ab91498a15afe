#pragma once
/// SQLite's result codes as `Error`s.

#include <string>

#include "quarry/core/error.hpp"

struct sqlite3;

namespace quarry::sql::sqlite_driver {

/// The error for `result_code`, with the words that the connection holds for its client kept as the engine's. `doing` says
/// what was being done ("run a statement", "open data/quarry.db").
Error make_error(sqlite3* db, int result_code, const std::string& doing);

/// Why a file could not be opened or made, and the remedy, from the system's error number.
std::string why_not_opened(int system_code, const std::string& doing);

/// Throws `make_error` unless the code is SQLITE_OK, SQLITE_ROW or SQLITE_DONE.
void check(sqlite3* db, int result_code, const char* doing);

}  // namespace quarry::sql::sqlite_driver
