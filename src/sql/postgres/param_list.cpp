#include "sql/postgres/param_list.hpp"

#include "quarry/core/error.hpp"

namespace quarry::sql::postgres_driver {
namespace {

constexpr int text_format = 0;
constexpr int binary_format = 1;

template <class T>
std::span<const T> elements(const Param& param) {
  return {static_cast<const T*>(param.data), param.size};
}

}  // namespace

oid::Type ParamList::type_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
      return oid::boolean;
    case Kind::int64:
      return oid::int8;
    case Kind::real:
      return oid::float8;
    case Kind::text:
      return oid::inferred;
    case Kind::json:
      return oid::jsonb;
    case Kind::bytes:
      return oid::bytea;
    case Kind::uuid:
      return oid::uuid;
    case Kind::instant:
      return oid::timestamptz;
    case Kind::int64_array:
      return oid::int8_array;
    case Kind::text_array:
      return oid::text_array;
    case Kind::uuid_array:
      return oid::uuid_array;
    case Kind::instant_array:
      return oid::timestamptz_array;
  }
  return oid::inferred;
}

void ParamList::clear() {
  types_.clear();
  values_.clear();
  lengths_.clear();
  formats_.clear();
  in_scratch_.clear();
  scratch_.clear();
  bytes_ = 0;
}

void ParamList::assign(std::span<const Param> params) {
  clear();
  for (const Param& param : params) add(param);
  for (const auto& [index, offset] : in_scratch_) values_[index] = scratch_.data() + offset;
}

void ParamList::add_binary(oid::Type type, std::string_view bytes) {
  check_size(bytes.size());
  types_.push_back(type);
  values_.push_back(bytes.data() ? bytes.data() : "");  // a null pointer would be a null
  lengths_.push_back(static_cast<int>(bytes.size()));
  formats_.push_back(binary_format);
  bytes_ += bytes.size() + 8;
}

void ParamList::add_scratch(std::size_t offset) {
  in_scratch_.emplace_back(values_.size(), offset);
  values_.push_back(nullptr);
  lengths_.push_back(static_cast<int>(scratch_.size() - offset));
  formats_.push_back(binary_format);
  bytes_ += scratch_.size() - offset + 8;
}

void ParamList::add(const Param& param) {
  if (param.null) {
    types_.push_back(type_of(param.kind));
    values_.push_back(nullptr);
    lengths_.push_back(0);
    formats_.push_back(binary_format);
    return;
  }
  const std::size_t offset = scratch_.size();
  switch (param.kind) {
    case Kind::boolean:
      *scratch_.grow(1) = param.integer != 0 ? '\1' : '\0';
      break;
    case Kind::int64:
      put_int64(scratch_.grow(8), param.integer);
      break;
    case Kind::real:
      put_float8(scratch_.grow(8), param.real);
      break;
    case Kind::instant:
      put_int64(scratch_.grow(8), instant_to_wire({param.integer}));
      break;
    case Kind::text:
    case Kind::json:
      return add_text(param);
    case Kind::bytes:
      return add_binary(oid::bytea, param.view());
    case Kind::uuid:
      return add_binary(oid::uuid, {static_cast<const char*>(param.data), 16});
    default:
      return add_array(param);
  }
  add_scratch(offset);
  types_.push_back(type_of(param.kind));
}

/// libpq wants text to end with a zero, which a view does not promise: hence the copy.
void ParamList::add_text(const Param& param) {
  check_size(param.size);
  if (param.size > 0 && std::memchr(param.data, 0, param.size))
    throw_invalid("a text holds a zero byte, which PostgreSQL cannot store: clean it first");
  const std::size_t offset = scratch_.size();
  char* at = scratch_.grow(param.size + 1);
  if (param.size > 0) std::memcpy(at, param.data, param.size);
  at[param.size] = '\0';
  add_scratch(offset);
  formats_.back() = text_format;
  types_.push_back(type_of(param.kind));
}

void ParamList::add_array(const Param& param) {
  const std::size_t offset = scratch_.size();
  switch (param.kind) {
    case Kind::int64_array:
      encode_int64_array(scratch_, elements<std::int64_t>(param));
      break;
    case Kind::text_array:
      encode_text_array(scratch_, elements<std::string>(param));
      break;
    case Kind::uuid_array:
      encode_uuid_array(scratch_, elements<Uuid>(param));
      break;
    default:
      encode_instant_array(scratch_, elements<Instant>(param));
      break;
  }
  check_size(scratch_.size() - offset);
  add_scratch(offset);
  types_.push_back(type_of(param.kind));
}

}  // namespace quarry::sql::postgres_driver
