#pragma once
/// A result that stays at the server and comes in chunks: a cursor of SQL, declared and fetched. Unlike libpq's single-row
/// mode it leaves the connection free for other statements between the chunks.

#include <string>

#include "sql/postgres/result_cursor.hpp"

namespace quarry::sql::postgres_driver {

class PostgresSession;

class StreamCursor final : public ResultCursor {
 public:
  explicit StreamCursor(PostgresSession& session) : session_(session) {}
  /// `first` is the first chunk.
  void open_stream(std::string cursor, std::string_view query_name, std::size_t chunk_rows, ResultPtr first);

  bool step() override;
  void close() noexcept override;

 private:
  PostgresSession& session_;
  std::string cursor_;
  std::string query_name_;
  std::size_t chunk_rows_ = 0;
};

}  // namespace quarry::sql::postgres_driver
