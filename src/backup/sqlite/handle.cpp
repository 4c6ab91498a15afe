#include "backup/sqlite/handle.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry::backup::sqlite {
namespace {

constexpr int busy_ms = 10'000;
constexpr int cache_kib = 2'048;

ErrorCode code_of(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::denied;
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::bug;
  }
}

std::string_view reason_of(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "others hold it; try again";
    case SQLITE_CORRUPT:
      return "it is damaged: `pragma integrity_check` tells where";
    case SQLITE_NOTADB:
      return "it is no SQLite database";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "this user may not";
    case SQLITE_CANTOPEN:
      return "it cannot be opened";
    case SQLITE_FULL:
      return "no room is left on the disk";
    case SQLITE_IOERR:
      return "the disk reports a failure";
    default:
      return "SQLite refused";
  }
}

/// A file name as part of a URI.
std::string uri_of(const std::filesystem::path& file, std::string_view query) {
  std::string uri = "file:";
  const auto path = std::filesystem::absolute(file);
  for (const char c : path.native())
    if (c == '?' || c == '#' || c == '%')
      uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
    else
      uri += c;
  return fmt::format("{}?{}", uri, query);
}

}  // namespace

Handle::Handle(const std::filesystem::path& file, Opening opening) : file_(file) {
  const bool copy = opening == Opening::copy;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | (copy ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  const auto uri = uri_of(file, copy ? "immutable=1" : "mode=rw");
  const int code = sqlite3_open_v2(uri.c_str(), &db_, flags, nullptr);
  try {
    check(code, "open");
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, busy_ms);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_autocheckpoint(db_, 0);
    run(fmt::format("pragma cache_size = -{}", cache_kib).c_str());
    if (opening != Opening::exclusive) run("pragma query_only = on");
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Handle::~Handle() { sqlite3_close_v2(db_); }

void Handle::fail(std::string_view doing, int code) const {
  throw Error(code_of(code), fmt::format("could not {} '{}': {}", doing, file_.native(), reason_of(code)),
              {db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(code), {}, db_ ? sqlite3_extended_errcode(db_) : code});
}

void Handle::check(int code, std::string_view doing) const {
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) fail(doing, code);
}

void Handle::run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), "read"); }

std::int64_t Handle::number(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.number(0) : 0;
}

std::string Handle::text(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? std::string(statement.bytes(0)) : std::string();
}

Statement::Statement(const Handle& handle, const std::string& sql) : handle_(handle) {
  handle.check(sqlite3_prepare_v2(handle.native(), sql.c_str(), -1, &statement_, nullptr), "read");
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  handle_.check(code, "read");
  return code == SQLITE_ROW;
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {data == nullptr ? "" : data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string quoted_name(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

}  // namespace quarry::backup::sqlite
