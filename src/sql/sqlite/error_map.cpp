#include "sql/sqlite/error_map.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <string_view>

namespace quarry::sql::sqlite_driver {
namespace {

/// "UNIQUE constraint failed: users.email" names rule and columns and holds no row data, but a CHECK's text may be long: the
/// part behind the colon is a schema name in every message that SQLite composes.
std::string constraint_message(std::string_view engine) {
  const auto colon = engine.find(": ");
  const auto what = colon == std::string_view::npos ? std::string_view{} : engine.substr(colon + 2);
  if (engine.starts_with("UNIQUE")) return fmt::format("{} must be unique and this value is there already", what);
  if (engine.starts_with("NOT NULL")) return fmt::format("{} must not be empty", what);
  if (engine.starts_with("CHECK")) return fmt::format("a value breaks the rule {}", what);
  if (engine.starts_with("FOREIGN KEY")) return "a row that this one refers to does not exist, or is still referred to";
  return "a rule of the schema refuses this value";
}

struct Mapped {
  ErrorCode code;
  bool retryable = false;
  bool poisons = false;
};

Mapped map_code(int result_code) {
  switch (result_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::busy, true};
    case SQLITE_INTERRUPT:
      return {ErrorCode::timeout};
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
      return {ErrorCode::constraint};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::corrupt, false, true};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::denied};
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return {ErrorCode::unavailable};
    default:
      return {ErrorCode::bug};
  }
}

/// The system's own word for why a file could not be opened or made.
Mapped map_open(int system_code) {
  return {system_code == EACCES || system_code == EPERM ? ErrorCode::denied : ErrorCode::unavailable};
}

/// A header that names a schema format which this SQLite does not read comes as a plain SQLITE_ERROR.
bool is_unknown_format(int result_code, std::string_view engine) {
  return (result_code & 0xff) == SQLITE_ERROR && engine == "unsupported file format";
}

}  // namespace

std::string why_not_opened(int system_code, const std::string& doing) {
  if (system_code == EMFILE || system_code == ENFILE)
    return fmt::format("could not {}: too many files are open; raise the limit (ulimit -n)", doing);
  if (system_code == EACCES || system_code == EPERM)
    return fmt::format("could not {}: this user must be allowed to read and write it and its folder", doing);
  return fmt::format("could not {}: it must be a file, and this user must be allowed to read and write it and its folder",
                     doing);
}

Error make_error(sqlite3* db, int result_code, const std::string& doing) {
  const int extended = db ? sqlite3_extended_errcode(db) : result_code;
  std::string engine = db ? sqlite3_errmsg(db) : sqlite3_errstr(result_code);
  const int system_code = db ? sqlite3_system_errno(db) : 0;
  auto mapped = (result_code & 0xff) == SQLITE_CANTOPEN ? map_open(system_code) : map_code(result_code);
  std::string message;
  switch (result_code & 0xff) {
    case SQLITE_CONSTRAINT:
      message = constraint_message(engine);
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      message = fmt::format("could not {}: another process holds the database; try again", doing);
      break;
    case SQLITE_INTERRUPT:
      message = fmt::format("could not {} within the time allowed", doing);
      break;
    case SQLITE_NOTADB:
      message = fmt::format(
          "could not {}: the file is not a SQLite database; restore it from a backup, or name another file", doing);
      break;
    case SQLITE_CORRUPT:
      message = fmt::format("could not {}: the database file is damaged; restore it from a backup", doing);
      break;
    case SQLITE_FULL:
      message = fmt::format("could not {}: the disk is full", doing);
      break;
    case SQLITE_READONLY:
      message = fmt::format("could not {}: the database or its directory is not writable", doing);
      break;
    case SQLITE_CANTOPEN:
      message = why_not_opened(system_code, doing);
      break;
    case SQLITE_IOERR:
      message = fmt::format("could not {}: the file system reported an error", doing);
      break;
    default:
      message = fmt::format("could not {}", doing);
      break;
  }
  if (is_unknown_format(result_code, engine)) {
    mapped = map_code(SQLITE_CORRUPT);
    message = fmt::format("could not {}: the file is damaged, or a newer SQLite wrote it; restore it from a backup", doing);
  }
  return Error(mapped.code, std::move(message), {std::move(engine), {}, extended})
      .set_retryable(mapped.retryable)
      .set_poisons_connection(mapped.poisons);
}

void check(sqlite3* db, int result_code, const char* doing) {
  if (result_code == SQLITE_OK || result_code == SQLITE_ROW || result_code == SQLITE_DONE) return;
  throw make_error(db, result_code, doing);
}

}  // namespace quarry::sql::sqlite_driver
