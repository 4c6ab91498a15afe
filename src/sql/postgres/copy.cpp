#include "sql/postgres/copy.hpp"

#include <cstring>

#include "quarry/core/error.hpp"
#include "sql/postgres/simple_result.hpp"

namespace quarry::sql::postgres_driver {
namespace {

constexpr std::size_t flush_bytes = 65'536;                                      // about one socket buffer
constexpr std::string_view signature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);  // with no flags and no extension

template <class T>
std::span<const T> elements(const Param& param) {
  return {static_cast<const T*>(param.data), param.size};
}

void encode_array(ByteBuffer& out, const BulkColumn& column, const Param& param) {
  const std::size_t start = out.size();
  out.grow(4);
  switch (column.encoder) {
    case Encoder::int64_array:
      encode_int64_array(out, elements<std::int64_t>(param), column.element);
      break;
    case Encoder::text_array:
      encode_text_array(out, elements<std::string>(param), column.element);
      break;
    case Encoder::uuid_array:
      encode_uuid_array(out, elements<Uuid>(param));
      break;
    default:
      encode_instant_array(out, elements<Instant>(param), column.element);
      break;
  }
  check_size(out.size() - start);
  put_int32(out.data() + start, static_cast<std::int32_t>(out.size() - start - 4));
}

inline void put_bytes(ByteBuffer& out, const void* data, std::size_t size) {
  check_size(size);
  char* at = out.grow(4 + size);
  put_int32(at, static_cast<std::int32_t>(size));
  if (size > 0) std::memcpy(at + 4, data, size);
}

template <int Width>
inline void put_integer(ByteBuffer& out, std::int64_t value) {
  check_integer_width(value, Width);
  char* at = out.grow(4 + Width);
  put_int32(at, Width);
  if constexpr (Width == 8)
    put_int64(at + 4, value);
  else if constexpr (Width == 4)
    put_int32(at + 4, static_cast<std::int32_t>(value));
  else
    put_int16(at + 4, static_cast<std::int16_t>(value));
}

void encode_field(ByteBuffer& out, const BulkColumn& column, const Param& param) {
  if (param.null) return put_int32(out.grow(4), -1);
  switch (column.encoder) {
    case Encoder::boolean: {
      char* at = out.grow(5);
      put_int32(at, 1);
      at[4] = param.integer != 0 ? '\1' : '\0';
      return;
    }
    case Encoder::int8:
      return put_integer<8>(out, param.integer);
    case Encoder::int4:
      return put_integer<4>(out, param.integer);
    case Encoder::int2:
      return put_integer<2>(out, param.integer);
    case Encoder::float8: {
      char* at = out.grow(12);
      put_int32(at, 8);
      return put_float8(at + 4, param.real);
    }
    case Encoder::float4: {
      char* at = out.grow(8);
      put_int32(at, 4);
      return put_float4(at + 4, static_cast<float>(param.real));
    }
    case Encoder::raw:
      return put_bytes(out, param.data, param.size);
    case Encoder::jsonb: {
      check_size(param.size + 1);
      char* at = out.grow(5 + param.size);
      put_int32(at, static_cast<std::int32_t>(param.size + 1));
      at[4] = 1;  // jsonb's version
      if (param.size > 0) std::memcpy(at + 5, param.data, param.size);
      return;
    }
    case Encoder::uuid:
      return put_bytes(out, param.data, 16);
    case Encoder::instant:
      return put_integer<8>(out, instant_to_wire({param.integer}));
    case Encoder::none:
      throw_bug("a column without a binary form is copied");
    default:
      return encode_array(out, column, param);
  }
}

void send_rows(Connection& connection, const BulkPlan& plan, const RowSource& rows, Deadline deadline) {
  ByteBuffer out;
  out.reserve(flush_bytes + flush_bytes / 4);
  std::memcpy(out.grow(signature.size()), signature.data(), signature.size());
  std::vector<Param> params(plan.columns.size());
  for (std::size_t i = 0, count = rows.size(); i < count; ++i) {
    rows.fill(i, params.data());
    encode_copy_row(out, plan, params.data());
    if (out.size() < flush_bytes) continue;
    connection.put_copy_data(out.view(), deadline);
    out.clear();
  }
  put_int16(out.grow(2), -1);
  connection.put_copy_data(out.view(), deadline);
}

ResultPtr finish(Connection& connection, Deadline deadline) {
  ResultPtr last;
  while (auto result = connection.get_result(deadline)) {
    if (!last || PQresultStatus(last.get()) != PGRES_FATAL_ERROR) last = std::move(result);
    if (connection.broken()) break;
  }
  return last;
}

}  // namespace

void encode_copy_row(ByteBuffer& out, const BulkPlan& plan, const Param* params) {
  put_int16(out.grow(2), static_cast<std::int16_t>(plan.columns.size()));
  for (const BulkColumn& column : plan.columns) encode_field(out, column, *params++);
}

std::int64_t copy_in(Link& link, const BulkPlan& plan, const RowSource& rows, Deadline deadline) {
  Connection& connection = *link.connection;
  link.pipeline.drain(deadline);
  const PipelinePause pause(connection);
  ResultPtr result = connection.simple(link.pipeline.take_deferred() + plan.copy_sql, deadline);
  check_simple(connection, result.get(), PGRES_COPY_IN);
  try {
    send_rows(connection, plan, rows, deadline);
  } catch (...) {
    if (!connection.broken()) {
      connection.put_copy_end("the client could not make a row", deadline);
      finish(connection, deadline);
    }
    throw;
  }
  connection.put_copy_end(nullptr, deadline);
  result = finish(connection, deadline);
  check_simple(connection, result.get(), PGRES_COMMAND_OK);
  return affected_rows(result.get());
}

}  // namespace quarry::sql::postgres_driver
