#include "sql/postgres/stream_cursor.hpp"

#include "quarry/core/error.hpp"
#include "sql/postgres/session.hpp"

namespace quarry::sql::postgres_driver {

void StreamCursor::open_stream(std::string cursor, std::string_view query_name, std::size_t chunk_rows, ResultPtr first) {
  cursor_ = std::move(cursor);
  query_name_ = query_name;
  chunk_rows_ = chunk_rows;
  open({std::move(first), std::make_shared<Prepared>()});
}

bool StreamCursor::step() {
  while (!ResultCursor::step()) {
    if (static_cast<std::size_t>(rows()) < chunk_rows_) return false;
    try {
      refill(session_.fetch(cursor_, chunk_rows_));
    } catch (Error& error) {
      error.add_query(query_name_);
      throw;
    }
  }
  return true;
}

void StreamCursor::close() noexcept {
  if (is_open()) session_.close_cursor(cursor_);
  ResultCursor::close();
}

}  // namespace quarry::sql::postgres_driver
