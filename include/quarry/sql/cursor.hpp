#pragma once
/// The rows of one execution, as a driver gives them. Programs use `Read` and `Write`; this is the line below.
///
/// Errors: `corrupt` for a value that is not of the kind that is read; otherwise what the engine says.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/param.hpp"

namespace quarry::sql {

/// Stands before the first row when it is made. The `get_` functions want a current row and a column whose kind was accepted
/// by `check_column`; for a null they throw `bug`, naming the column. What they return as a view lives until the next `step`
/// or `close`. Not thread-safe.
class Cursor {
 public:
  virtual ~Cursor() = default;

  virtual bool step() = 0;  ///< moves to the next row; false when there is none
  /// Ends the execution and hands the statement back to its cache. Called exactly once, by `OpenCursor`.
  virtual void close() noexcept = 0;
  /// Rows that an INSERT, UPDATE or DELETE touched; valid when `step` has returned false.
  virtual std::int64_t affected_rows() const = 0;

  /// Columns of the result.
  virtual int column_count() const = 0;
  /// As the statement names it. Columns count from 0, here and below.
  virtual std::string_view column_name(int column) const = 0;
  /// Throws `bug` when the column can never hold the kind. Called once per statement and row type.
  virtual void check_column(int column, Kind kind) const = 0;

  /// Whether the current row has nothing there.
  virtual bool is_null(int column) const = 0;
  /// The value of the current row, which must not be null; so for the rest.
  virtual bool get_boolean(int column) const = 0;
  /// An integer of any width.
  virtual std::int64_t get_int64(int column) const = 0;
  /// A floating-point number.
  virtual double get_real(int column) const = 0;
  virtual std::string_view get_text(int column) const = 0;  ///< text and json
  /// Valid until the next step; so is a text.
  virtual std::span<const std::byte> get_bytes(int column) const = 0;
  /// 16 bytes.
  virtual Uuid get_uuid(int column) const = 0;
  /// Microseconds of UTC.
  virtual Instant get_instant(int column) const = 0;
  /// On SQLite a JSON array.
  virtual std::vector<std::int64_t> get_int64_array(int column) const = 0;
  /// On SQLite a JSON array.
  virtual std::vector<std::string> get_text_array(int column) const = 0;

  /// Which column each member of a row type comes from, found by name once per prepared statement and kept with it.
  struct RowMap {
    const void* row_type = nullptr;  ///< identity of the C++ type the map was made for
    std::vector<int> columns;
  };
  /// The map of the statement that is being read; empty at first.
  virtual RowMap& row_map() = 0;
};

/// Closes a cursor at the end of the scope, also when a row could not be read.
class OpenCursor {
 public:
  explicit OpenCursor(Cursor& cursor) : cursor_(&cursor) {}
  OpenCursor(OpenCursor&& other) noexcept : cursor_(other.cursor_) { other.cursor_ = nullptr; }
  OpenCursor(const OpenCursor&) = delete;
  OpenCursor& operator=(const OpenCursor&) = delete;
  OpenCursor& operator=(OpenCursor&&) = delete;
  ~OpenCursor() {
    if (cursor_) cursor_->close();
  }

  Cursor& operator*() const { return *cursor_; }
  Cursor* operator->() const { return cursor_; }

 private:
  Cursor* cursor_;
};

}  // namespace quarry::sql
