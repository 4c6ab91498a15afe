#include "sql/postgres/result_cursor.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "sql/postgres/simple_result.hpp"
#include "sql/postgres/wire.hpp"

namespace quarry::sql::postgres_driver {
namespace {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "a boolean";
    case Kind::int64:
      return "an integer";
    case Kind::real:
      return "a floating point number";
    case Kind::text:
      return "text";
    case Kind::json:
      return "JSON";
    case Kind::bytes:
      return "bytes";
    case Kind::uuid:
      return "a UUID";
    case Kind::instant:
      return "a time";
    case Kind::int64_array:
      return "an array of integers";
    case Kind::text_array:
      return "an array of text";
    case Kind::uuid_array:
      return "an array of UUIDs";
    case Kind::instant_array:
      return "an array of times";
  }
  return "this";
}

std::string_view cast_for(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "boolean";
    case Kind::int64:
      return "int8";
    case Kind::real:
      return "float8";
    case Kind::json:
      return "jsonb";
    case Kind::bytes:
      return "bytea";
    case Kind::uuid:
      return "uuid";
    case Kind::instant:
      return "timestamptz";
    case Kind::int64_array:
      return "int8[]";
    case Kind::text_array:
      return "text[]";
    default:
      return "text";
  }
}

}  // namespace

bool can_hold(oid::Type type, Kind kind) noexcept {
  // Enums, citext and their arrays have ids of their own in every database; they are text on the wire.
  const bool dynamic = type >= oid::first_dynamic;
  switch (kind) {
    case Kind::boolean:
      return type == oid::boolean;
    case Kind::int64:
      return type == oid::int8 || type == oid::int4 || type == oid::int2;
    case Kind::real:
      return type == oid::float8 || type == oid::float4;
    case Kind::text:
    case Kind::json:
      return dynamic || type == oid::text || type == oid::varchar || type == oid::bpchar || type == oid::name ||
             type == oid::single_char || type == oid::json || type == oid::jsonb || type == oid::xml ||
             type == oid::unknown || type == oid::cstring;
    case Kind::bytes:
      return type == oid::bytea;
    case Kind::uuid:
      return type == oid::uuid;
    case Kind::instant:
      return type == oid::timestamptz || type == oid::timestamp;
    case Kind::int64_array:
      return type == oid::int8_array || type == oid::int4_array || type == oid::int2_array;
    case Kind::text_array:
      return dynamic || type == oid::text_array || type == oid::varchar_array || type == oid::bpchar_array ||
             type == oid::name_array;
    case Kind::uuid_array:
    case Kind::instant_array:
      return false;
  }
  return false;
}

void ResultCursor::open(Reply reply) {
  statement_ = std::move(reply.statement);
  open_ = true;
  refill(std::move(reply.result));
}

void ResultCursor::refill(ResultPtr result) {
  result_ = std::move(result);
  row_ = -1;
  rows_ = PQntuples(result_.get());
}

bool ResultCursor::step() { return ++row_ < rows_; }

void ResultCursor::close() noexcept {
  result_.reset();
  statement_.reset();
  open_ = false;
}

std::int64_t ResultCursor::affected_rows() const { return postgres_driver::affected_rows(result_.get()); }

void ResultCursor::check_column(int column, Kind kind) const {
  const oid::Type type = PQftype(result_.get(), column);
  if (can_hold(type, kind)) return;
  throw_bug(fmt::format("column '{0}' is of type {1}, which cannot be read as {2}: cast it in the query ({0}::{3})",
                        column_name(column), oid::name_of(type), name_of(kind), cast_for(kind)));
}

void ResultCursor::refuse_null(int column) const {
  throw_bug(fmt::format("column '{}' is null and its member is not optional", column_name(column)));
}

bool ResultCursor::get_boolean(int column) const { return decode_boolean(value(column)); }
std::int64_t ResultCursor::get_int64(int column) const { return decode_integer(value(column)); }
double ResultCursor::get_real(int column) const { return decode_real(value(column)); }
Uuid ResultCursor::get_uuid(int column) const { return decode_uuid(value(column)); }
Instant ResultCursor::get_instant(int column) const { return decode_instant(value(column)); }
std::vector<std::int64_t> ResultCursor::get_int64_array(int column) const { return decode_int64_array(value(column)); }
std::vector<std::string> ResultCursor::get_text_array(int column) const { return decode_text_array(value(column)); }

std::string_view ResultCursor::get_text(int column) const {
  auto text = value(column);
  // jsonb is a version byte and text; the version has been 1 since there is a jsonb.
  if (PQftype(result_.get(), column) == oid::jsonb) {
    if (text.empty() || text[0] != 1) throw Error(ErrorCode::corrupt, "the server sent jsonb of an unknown version");
    text.remove_prefix(1);
  }
  return text;
}

std::span<const std::byte> ResultCursor::get_bytes(int column) const { return std::as_bytes(std::span(value(column))); }

}  // namespace quarry::sql::postgres_driver
