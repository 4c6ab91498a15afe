#pragma once
/// A SQLite file outside the pool of the sql layer: the online backup API, snapshots that last and immutable copies need the
/// C API.

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace quarry::backup::sqlite {

enum class Opening {
  live,       ///< others use it: read only, and never a checkpoint (docs/decisions/0002)
  copy,       ///< nobody else knows it: read without locks, and without files beside it
  exclusive,  ///< it is to be replaced
};

/// Throws `Error`. Not thread-safe.
class Handle {
 public:
  Handle(const std::filesystem::path& file, Opening opening);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  sqlite3* native() const noexcept { return db_; }
  void run(const char* sql);
  /// The first column of the first row; 0 when there is none.
  std::int64_t number(const std::string& sql);
  std::string text(const std::string& sql);
  [[noreturn]] void fail(std::string_view doing, int code) const;
  void check(int code, std::string_view doing) const;

 private:
  std::filesystem::path file_;
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(const Handle& handle, const std::string& sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool step();
  sqlite3_stmt* native() const noexcept { return statement_; }
  std::string_view bytes(int column) const;
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
  const Handle& handle_;
  sqlite3_stmt* statement_ = nullptr;
};

/// A name in an SQL text.
std::string quoted_name(std::string_view name);

}  // namespace quarry::backup::sqlite
