#include "sql/postgres/bulk_insert.hpp"

#include "quarry/core/error.hpp"
#include "sql/postgres/simple_result.hpp"

namespace quarry::sql::postgres_driver {
namespace {

constexpr std::size_t segment_statements = 256;
constexpr std::size_t segment_bytes = 1'000'000;
constexpr std::size_t chunk_rows = 1'000;
constexpr std::size_t segments_in_flight = 2;

/// Ends segments and reads the answers of the oldest when enough are under way.
class Window {
 public:
  Window(Pipeline& pipeline, Deadline deadline) : pipeline_(pipeline), deadline_(deadline) {}

  void sent(std::size_t bytes) {
    ++statements_;
    bytes_ += bytes;
  }
  bool full() const { return statements_ >= segment_statements || bytes_ >= segment_bytes; }

  void end_segment() {
    pipeline_.end_segment();
    pipeline_.flush(deadline_);
    under_way_.push_back(statements_);
    statements_ = 0;
    bytes_ = 0;
    if (under_way_.size() >= segments_in_flight) collect();
  }
  std::int64_t finish() {
    if (statements_ > 0) end_segment();
    while (!under_way_.empty()) collect();
    return rows_;
  }
  /// The caller cannot go on: what was sent is run to its end, so that the connection stays in step.
  void abandon() {
    pipeline_.end_segment();
    pipeline_.drain(deadline_);
  }

 private:
  void collect() {
    for (std::size_t i = 0; i < under_way_.front(); ++i) {
      const Reply reply = pipeline_.read(deadline_);
      rows_ += affected_rows(reply.result.get());
    }
    pipeline_.read_end(deadline_);
    under_way_.pop_front();
  }

  Pipeline& pipeline_;
  const Deadline deadline_;
  std::deque<std::size_t> under_way_;
  std::size_t statements_ = 0;
  std::size_t bytes_ = 0;
  std::int64_t rows_ = 0;
};

oid::Type element_of(Kind kind) {
  // Text and JSON arrive as text and are cast to the column's type by the statement.
  return kind == Kind::text || kind == Kind::json ? oid::text : ParamList::type_of(kind);
}

oid::Type array_of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return oid::boolean_array;
    case Kind::int64:
      return oid::int8_array;
    case Kind::real:
      return oid::float8_array;
    case Kind::bytes:
      return oid::bytea_array;
    case Kind::uuid:
      return oid::uuid_array;
    case Kind::instant:
      return oid::timestamptz_array;
    default:
      return oid::text_array;
  }
}

/// The values of one column, growing into a binary array.
class ColumnArray {
 public:
  explicit ColumnArray(Kind kind) : kind_(kind) {}

  void start() {
    bytes_.clear();
    count_ = 0;
    put_array_header(bytes_, element_of(kind_), 1);
  }
  void add(const Param& param) {
    ++count_;
    if (param.null) {
      put_int32(bytes_.grow(4), -1);
      put_int32(bytes_.data() + 4, 1);  // it holds nulls
      return;
    }
    switch (kind_) {
      case Kind::boolean: {
        const char value = param.integer != 0 ? '\1' : '\0';
        return put_array_element(bytes_, {&value, 1});
      }
      case Kind::int64:
        return add_int64(param.integer);
      case Kind::instant:
        return add_int64(instant_to_wire({param.integer}));
      case Kind::real:
        return add_int64(std::bit_cast<std::int64_t>(param.real));
      case Kind::uuid:
        return put_array_element(bytes_, {static_cast<const char*>(param.data), 16});
      default:
        check_size(param.size);
        return put_array_element(bytes_, param.view());
    }
  }
  std::string_view finish() {
    put_int32(bytes_.data() + 12, static_cast<std::int32_t>(count_));
    check_size(bytes_.size());
    return bytes_.view();
  }
  std::size_t size() const { return bytes_.size(); }
  oid::Type type() const { return array_of(kind_); }

 private:
  void add_int64(std::int64_t value) {
    char* at = bytes_.grow(12);
    put_int32(at, 8);
    put_int64(at + 4, value);
  }

  Kind kind_;
  ByteBuffer bytes_;
  std::size_t count_ = 0;
};

/// Fills `columns` from row `at` on and returns the row behind the chunk.
std::size_t fill_chunk(std::vector<ColumnArray>& columns, const RowSource& rows, std::size_t at,
                       std::vector<Param>& params) {
  const std::size_t end = std::min(rows.size(), at + chunk_rows);
  std::size_t bytes = 0;
  for (ColumnArray& column : columns) column.start();
  while (at < end && bytes < segment_bytes) {
    rows.fill(at++, params.data());
    bytes = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].add(params[i]);
      bytes += columns[i].size();
    }
  }
  return at;
}

}  // namespace

std::int64_t run_each(Link& link, std::string_view text, Pipeline::Text kind, std::size_t param_count, const RowSource& rows,
                      Deadline deadline) {
  Window window(link.pipeline, deadline);
  std::vector<Param> params(param_count);
  ParamList list;
  for (std::size_t i = 0, count = rows.size(); i < count; ++i) {
    try {
      rows.fill(i, params.data());
      list.assign(params);
    } catch (...) {
      window.abandon();
      throw;
    }
    if (i == 0)
      link.pipeline.send(text, kind, list);
    else
      link.pipeline.send_again(text, kind, list);
    window.sent(list.bytes());
    if (window.full()) window.end_segment();
  }
  return window.finish();
}

std::int64_t insert_unnest(Link& link, const BulkPlan& plan, const RowSource& rows, OnConflict on_conflict,
                           Deadline deadline) {
  Window window(link.pipeline, deadline);
  std::vector<ColumnArray> columns;
  for (const BulkColumn& column : plan.columns) columns.emplace_back(column.kind);
  std::vector<Param> params(columns.size());
  ParamList list;
  const std::string& text = plan.unnest_sql[on_conflict == OnConflict::nothing ? 1 : 0];
  for (std::size_t at = 0, count = rows.size(); at < count;) {
    try {
      at = fill_chunk(columns, rows, at, params);
      list.clear();
      for (ColumnArray& column : columns) list.add_binary(column.type(), column.finish());
    } catch (...) {
      window.abandon();
      throw;
    }
    link.pipeline.send(text, Pipeline::Text::dynamic, list);
    window.sent(list.bytes());
    window.end_segment();
  }
  return window.finish();
}

}  // namespace quarry::sql::postgres_driver
