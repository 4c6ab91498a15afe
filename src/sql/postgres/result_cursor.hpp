#pragma once
/// A whole result in memory as a `Cursor`, and the reading of its columns by type.

#include <memory>

#include "quarry/sql/cursor.hpp"
#include "sql/postgres/handles.hpp"
#include "sql/postgres/pipeline.hpp"

namespace quarry::sql::postgres_driver {

/// Rows of a `PGresult`. Reused: `open` gives it a new result. Not thread-safe.
class ResultCursor : public Cursor {
 public:
  void open(Reply reply);
  bool is_open() const noexcept { return open_; }

  bool step() override;
  void close() noexcept override;
  std::int64_t affected_rows() const override;
  int column_count() const override { return PQnfields(result_.get()); }
  std::string_view column_name(int column) const override { return PQfname(result_.get(), column); }
  void check_column(int column, Kind kind) const override;
  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) != 0; }
  bool get_boolean(int column) const override;
  std::int64_t get_int64(int column) const override;
  double get_real(int column) const override;
  std::string_view get_text(int column) const override;
  std::span<const std::byte> get_bytes(int column) const override;
  Uuid get_uuid(int column) const override;
  Instant get_instant(int column) const override;
  std::vector<std::int64_t> get_int64_array(int column) const override;
  std::vector<std::string> get_text_array(int column) const override;
  RowMap& row_map() override { return statement_->rows; }

 protected:
  /// Puts another result of the same columns in place, before its first row.
  void refill(ResultPtr result);
  int rows() const noexcept { return rows_; }

 private:
  std::string_view value(int column) const {
    if (PQgetisnull(result_.get(), row_, column)) refuse_null(column);
    return {PQgetvalue(result_.get(), row_, column), static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
  }

  [[noreturn]] void refuse_null(int column) const;

  ResultPtr result_;
  std::shared_ptr<Prepared> statement_;
  int row_ = -1;
  int rows_ = 0;
  bool open_ = false;
};

/// Whether a column of type `type` can be read as `kind`.
bool can_hold(oid::Type type, Kind kind) noexcept;

}  // namespace quarry::sql::postgres_driver
