#pragma once
/// A prepared statement that is its own cursor, and the bounded cache of them.

#include <sqlite3.h>

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "quarry/sql/cursor.hpp"
#include "quarry/sql/param.hpp"
#include "quarry/sql/query.hpp"

namespace quarry::sql::sqlite_driver {

class PreparedStatement final : public Cursor {
 public:
  PreparedStatement(sqlite3* db, std::string_view sql);
  ~PreparedStatement() override;
  PreparedStatement(const PreparedStatement&) = delete;
  PreparedStatement& operator=(const PreparedStatement&) = delete;

  /// Whether the bound bytes must be copied: they need not when they outlive the execution.
  enum class Lifetime { outlives, copied };
  void start(std::span<const Param> params, Lifetime lifetime);
  /// Runs a statement that has neither parameters nor rows. Returns SQLite's code, SQLITE_DONE when all is well.
  int run_to_end() noexcept;
  bool in_use() const noexcept { return in_use_; }

  bool step() override;
  void close() noexcept override;
  std::int64_t affected_rows() const override;
  int column_count() const override { return sqlite3_column_count(stmt_); }
  std::string_view column_name(int column) const override { return sqlite3_column_name(stmt_, column); }
  void check_column(int column, Kind kind) const override;
  bool is_null(int column) const override { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }
  bool get_boolean(int column) const override { return get_int64(column) != 0; }
  std::int64_t get_int64(int column) const override;
  double get_real(int column) const override;
  std::string_view get_text(int column) const override;
  std::span<const std::byte> get_bytes(int column) const override;
  Uuid get_uuid(int column) const override;
  Instant get_instant(int column) const override { return {get_int64(column)}; }
  std::vector<std::int64_t> get_int64_array(int column) const override;
  std::vector<std::string> get_text_array(int column) const override;
  RowMap& row_map() override { return row_map_; }

 private:
  void bind(int index, const Param& param, Lifetime lifetime);
  sqlite3_value* want(int column, int type) const;

  sqlite3* db_;
  sqlite3_stmt* stmt_ = nullptr;
  bool in_use_ = false;
  bool read_only_ = false;
  int param_count_ = 0;
  std::int64_t affected_ = 0;
  RowMap row_map_;
  std::list<std::string> arrays_;  ///< JSON forms of bound arrays, alive until `close`
};

/// Statements by text, at most `limit` of them; the least recently used one that is not running goes first.
class StatementCache {
 public:
  StatementCache(sqlite3* db, std::size_t limit) : db_(db), limit_(limit) {}

  /// `is_static`: the text's address stands for the text, which saves hashing it on every call.
  PreparedStatement& get(std::string_view sql, bool is_static);

 private:
  struct Entry {
    std::unique_ptr<PreparedStatement> statement;
    std::uint64_t last_used = 0;
  };
  void make_room();
  Entry make_entry(std::string_view sql);

  sqlite3* db_;
  std::size_t limit_;
  std::uint64_t uses_ = 0;
  std::unordered_map<const void*, Entry> by_address_;
  std::unordered_map<std::string, Entry> by_text_;
};

}  // namespace quarry::sql::sqlite_driver
