#include "sql/postgres/wire.hpp"

#include <fmt/format.h>

#include <limits>

#include "quarry/core/error.hpp"

namespace quarry::sql::postgres_driver {
namespace {

constexpr std::int64_t epoch_shift_us = 946'684'800'000'000;  // 1970-01-01 to 2000-01-01
constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t minus_infinity = std::numeric_limits<std::int64_t>::min();

[[noreturn]] void bad_bytes(std::string_view type, std::size_t size) {
  throw Error(ErrorCode::corrupt, fmt::format("the server sent {} bytes for a value of type {}", size, type));
}

/// The elements of a one-dimensional array, one after the other.
class ArrayReader {
 public:
  explicit ArrayReader(std::string_view bytes) : bytes_(bytes) {
    if (bytes_.size() < 12) bad_bytes("array", bytes_.size());
    const std::int32_t dimensions = take_int32(bytes_.data());
    if (dimensions == 0) return;
    if (dimensions != 1) throw_bug("an array of several dimensions cannot be read: unnest it in the query");
    if (bytes_.size() < 20) bad_bytes("array", bytes_.size());
    const std::int32_t count = take_int32(bytes_.data() + 12);
    // Every element has a length of four bytes at least.
    if (count < 0 || static_cast<std::size_t>(count) > (bytes_.size() - 20) / 4) bad_bytes("array", bytes_.size());
    count_ = static_cast<std::size_t>(count);
    at_ = 20;
  }
  std::size_t size() const { return count_; }
  std::string_view next() {
    if (bytes_.size() - at_ < 4) bad_bytes("array", bytes_.size());
    const std::int32_t length = take_int32(bytes_.data() + at_);
    at_ += 4;
    if (length == -1) throw_bug("the array holds a null: take it out in the query (array_remove)");
    if (length < 0 || static_cast<std::size_t>(length) > bytes_.size() - at_) bad_bytes("array", bytes_.size());
    const auto element = bytes_.substr(at_, static_cast<std::size_t>(length));
    at_ += element.size();
    return element;
  }

 private:
  std::string_view bytes_;
  std::size_t count_ = 0;
  std::size_t at_ = 12;
};

}  // namespace

void ByteBuffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(bigger.get(), data_.get(), size_);
  data_ = std::move(bigger);
  capacity_ = capacity;
}

std::int64_t decode_integer(std::string_view bytes) {
  switch (bytes.size()) {
    case 8:
      return take_int64(bytes.data());
    case 4:
      return take_int32(bytes.data());
    case 2:
      return take_int16(bytes.data());
    default:
      bad_bytes("integer", bytes.size());
  }
}

double decode_real(std::string_view bytes) {
  if (bytes.size() == 8) return std::bit_cast<double>(detail::load<std::uint64_t>(bytes.data()));
  if (bytes.size() == 4) return static_cast<double>(std::bit_cast<float>(detail::load<std::uint32_t>(bytes.data())));
  bad_bytes("float", bytes.size());
}

bool decode_boolean(std::string_view bytes) {
  if (bytes.size() != 1) bad_bytes("boolean", bytes.size());
  return bytes[0] != 0;
}

Uuid decode_uuid(std::string_view bytes) {
  Uuid value;
  if (bytes.size() != value.bytes.size()) bad_bytes("uuid", bytes.size());
  std::memcpy(value.bytes.data(), bytes.data(), value.bytes.size());
  return value;
}

Instant decode_instant(std::string_view bytes) {
  if (bytes.size() != 8) bad_bytes("timestamptz", bytes.size());
  const std::int64_t wire = take_int64(bytes.data());
  if (wire == infinity || wire == minus_infinity) return {wire};
  return {wire + epoch_shift_us};
}

std::int64_t instant_to_wire(Instant at) {
  if (at.us == infinity || at.us == minus_infinity) return at.us;
  if (at.us < minus_infinity + epoch_shift_us)
    throw_invalid("a time lies before 4713 BC, where PostgreSQL's calendar begins");
  return at.us - epoch_shift_us;
}

std::vector<std::int64_t> decode_int64_array(std::string_view bytes) {
  ArrayReader reader(bytes);
  std::vector<std::int64_t> values(reader.size());
  for (auto& value : values) value = decode_integer(reader.next());
  return values;
}

std::vector<std::string> decode_text_array(std::string_view bytes) {
  ArrayReader reader(bytes);
  std::vector<std::string> values(reader.size());
  for (auto& value : values) value = reader.next();
  return values;
}

void put_array_header(ByteBuffer& out, oid::Type element, std::size_t count, bool has_nulls) {
  if (count > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw_invalid("an array has more elements than PostgreSQL can hold");
  char* at = out.grow(count == 0 ? 12 : 20);
  put_int32(at, count == 0 ? 0 : 1);
  put_int32(at + 4, has_nulls ? 1 : 0);
  put_int32(at + 8, static_cast<std::int32_t>(element));
  if (count == 0) return;
  put_int32(at + 12, static_cast<std::int32_t>(count));
  put_int32(at + 16, 1);  // PostgreSQL counts from one
}

void encode_int64_array(ByteBuffer& out, std::span<const std::int64_t> values, oid::Type element) {
  put_array_header(out, element, values.size());
  const int width = element == oid::int4 ? 4 : element == oid::int2 ? 2 : 8;
  for (const std::int64_t value : values) {
    check_integer_width(value, width);
    char* at = out.grow(4 + static_cast<std::size_t>(width));
    put_int32(at, width);
    if (width == 8)
      put_int64(at + 4, value);
    else if (width == 4)
      put_int32(at + 4, static_cast<std::int32_t>(value));
    else
      put_int16(at + 4, static_cast<std::int16_t>(value));
  }
}

void encode_text_array(ByteBuffer& out, std::span<const std::string> values, oid::Type element) {
  put_array_header(out, element, values.size());
  for (const std::string& value : values) {
    check_size(value.size());
    put_array_element(out, value);
  }
}

void encode_uuid_array(ByteBuffer& out, std::span<const Uuid> values) {
  put_array_header(out, oid::uuid, values.size());
  for (const Uuid& value : values)
    put_array_element(out, {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
}

void encode_instant_array(ByteBuffer& out, std::span<const Instant> values, oid::Type element) {
  put_array_header(out, element, values.size());
  for (const Instant value : values) {
    char* at = out.grow(12);
    put_int32(at, 8);
    put_int64(at + 4, instant_to_wire(value));
  }
}

void check_integer_width(std::int64_t value, int width) {
  const bool fits = width == 8 || (width == 4 && value == static_cast<std::int32_t>(value)) ||
                    (width == 2 && value == static_cast<std::int16_t>(value));
  if (!fits) throw_invalid(fmt::format("the number {} does not fit into a column of {} bytes", value, width));
}

void check_size(std::size_t bytes) {
  if (bytes >= std::size_t{1} << 30)
    throw_invalid(fmt::format("a value of {} bytes is over PostgreSQL's limit of 1 GB", bytes));
}

}  // namespace quarry::sql::postgres_driver
