#pragma once
/// PostgreSQL's binary format, both ways: big-endian numbers, timestamps in microseconds since 2000-01-01, one-dimensional
/// arrays. (The format of each type is what its `typsend` and `typreceive` functions do: src/backend/utils/adt.)
///
/// Nothing here knows libpq. Decoders throw `corrupt` when the bytes cannot be what the type says; encoders throw
/// `invalid` when a value has no place in the type. Not thread-safe, but free of shared state.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "sql/postgres/oids.hpp"

namespace quarry::sql::postgres_driver {

/// Bytes on their way out. Unlike `std::string` it does not clear what is about to be overwritten.
class ByteBuffer {
 public:
  /// Room for `count` more bytes, which the caller fills. Valid until the next call.
  char* grow(std::size_t count) {
    if (capacity_ - size_ < count) reserve(std::max(capacity_ * 2, size_ + count));
    char* at = data_.get() + size_;
    size_ += count;
    return at;
  }
  void reserve(std::size_t capacity);
  void clear() noexcept { size_ = 0; }

  const char* data() const noexcept { return data_.get(); }
  char* data() noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::string_view view() const noexcept { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

namespace detail {
template <class T>
T swap_bytes(T value) noexcept {
  if constexpr (std::endian::native == std::endian::big)
    return value;
  else if constexpr (sizeof(T) == 2)
    return __builtin_bswap16(value);
  else if constexpr (sizeof(T) == 4)
    return __builtin_bswap32(value);
  else
    return __builtin_bswap64(value);
}
template <class T>
void store(char* to, T value) noexcept {
  value = swap_bytes(value);
  std::memcpy(to, &value, sizeof value);
}
template <class T>
T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return swap_bytes(value);
}
}  // namespace detail

inline void put_int16(char* to, std::int16_t value) noexcept { detail::store(to, static_cast<std::uint16_t>(value)); }
inline void put_int32(char* to, std::int32_t value) noexcept { detail::store(to, static_cast<std::uint32_t>(value)); }
inline void put_int64(char* to, std::int64_t value) noexcept { detail::store(to, static_cast<std::uint64_t>(value)); }
inline void put_float8(char* to, double value) noexcept { detail::store(to, std::bit_cast<std::uint64_t>(value)); }
inline void put_float4(char* to, float value) noexcept { detail::store(to, std::bit_cast<std::uint32_t>(value)); }

inline std::int16_t take_int16(const char* from) noexcept {
  return static_cast<std::int16_t>(detail::load<std::uint16_t>(from));
}
inline std::int32_t take_int32(const char* from) noexcept {
  return static_cast<std::int32_t>(detail::load<std::uint32_t>(from));
}
inline std::int64_t take_int64(const char* from) noexcept {
  return static_cast<std::int64_t>(detail::load<std::uint64_t>(from));
}

/// int2, int4 or int8, by its length.
std::int64_t decode_integer(std::string_view bytes);
/// float4 or float8, by its length.
double decode_real(std::string_view bytes);
bool decode_boolean(std::string_view bytes);
Uuid decode_uuid(std::string_view bytes);

/// timestamptz, or timestamp taken as UTC. `infinity` and `-infinity` are the largest and the smallest `Instant`, both ways.
Instant decode_instant(std::string_view bytes);
/// What goes on the wire for `at`.
std::int64_t instant_to_wire(Instant at);

std::vector<std::int64_t> decode_int64_array(std::string_view bytes);
std::vector<std::string> decode_text_array(std::string_view bytes);

/// The twenty bytes before the elements of a one-dimensional array; an empty one has twelve.
/// The place of the flag that says whether it holds nulls is at byte 4.
void put_array_header(ByteBuffer& out, oid::Type element, std::size_t count, bool has_nulls = false);
inline void put_array_element(ByteBuffer& out, std::string_view bytes) {
  char* at = out.grow(4 + bytes.size());
  put_int32(at, static_cast<std::int32_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(at + 4, bytes.data(), bytes.size());
}

/// Whole arrays. `element` is the id of the column's own element type, where it is narrower or another kind of text.
void encode_int64_array(ByteBuffer& out, std::span<const std::int64_t> values, oid::Type element = oid::int8);
void encode_text_array(ByteBuffer& out, std::span<const std::string> values, oid::Type element = oid::text);
void encode_uuid_array(ByteBuffer& out, std::span<const Uuid> values);
void encode_instant_array(ByteBuffer& out, std::span<const Instant> values, oid::Type element = oid::timestamptz);

/// Throws `invalid` when `value` does not fit into a column of `width` bytes.
void check_integer_width(std::int64_t value, int width);
/// Throws `invalid` for text over a gigabyte, the most that PostgreSQL holds in one value.
void check_size(std::size_t bytes);

}  // namespace quarry::sql::postgres_driver
