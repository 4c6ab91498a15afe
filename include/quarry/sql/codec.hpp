#pragma once
/// How a C++ type becomes a parameter and how a column becomes a C++ type. To teach the library a type of your own,
/// specialise `Codec`:
///
///     template <> struct quarry::sql::Codec<Money> {
///       static constexpr Kind kind = Kind::int64;
///       static Param to_param(const Money& m) { return Param::make_integer(kind, m.micros); }
///       static Money read(const Cursor& c, int column) { return {c.get_int64(column)}; }
///     };
///
/// Described enums (BOOST_DESCRIBE_ENUM) travel as their names.

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/sql/cursor.hpp"
#include "quarry/sql/param.hpp"

namespace quarry::sql {

template <class T>
struct Codec;

template <>
struct Codec<bool> {
  static constexpr Kind kind = Kind::boolean;
  static Param to_param(bool value) { return Param::make_integer(kind, value); }
  static bool read(const Cursor& c, int column) { return c.get_boolean(column); }
};

template <std::signed_integral T>
struct Codec<T> {
  static constexpr Kind kind = Kind::int64;
  static Param to_param(T value) { return Param::make_integer(kind, value); }
  static T read(const Cursor& c, int column) {
    const std::int64_t value = c.get_int64(column);
    if (!std::in_range<T>(value))
      throw Error(ErrorCode::corrupt, "column '" + std::string(c.column_name(column)) + "' holds a number out of range");
    return static_cast<T>(value);
  }
};

template <>
struct Codec<double> {
  static constexpr Kind kind = Kind::real;
  static Param to_param(double value) { return Param::make_real(value); }
  static double read(const Cursor& c, int column) { return c.get_real(column); }
};

template <>
struct Codec<std::string> {
  static constexpr Kind kind = Kind::text;
  static Param to_param(const std::string& value) { return Param::make_view(kind, value.data(), value.size()); }
  static std::string read(const Cursor& c, int column) { return std::string(c.get_text(column)); }
};

/// Parameters, and rows of `each`, where the view lives until the next row.
template <>
struct Codec<std::string_view> {
  static constexpr Kind kind = Kind::text;
  static Param to_param(std::string_view value) { return Param::make_view(kind, value.data(), value.size()); }
  static std::string_view read(const Cursor& c, int column) { return c.get_text(column); }
};

template <>
struct Codec<Json> {
  static constexpr Kind kind = Kind::json;
  static Param to_param(const Json& value) { return Param::make_view(kind, value.text.data(), value.text.size()); }
  static Json read(const Cursor& c, int column) { return {std::string(c.get_text(column))}; }
};

template <>
struct Codec<Bytes> {
  static constexpr Kind kind = Kind::bytes;
  static Param to_param(const Bytes& value) { return Param::make_view(kind, value.data(), value.size()); }
  static Bytes read(const Cursor& c, int column) {
    const auto view = c.get_bytes(column);
    return {view.begin(), view.end()};
  }
};

template <>
struct Codec<std::span<const std::byte>> {
  static constexpr Kind kind = Kind::bytes;
  static Param to_param(std::span<const std::byte> value) { return Param::make_view(kind, value.data(), value.size()); }
  static std::span<const std::byte> read(const Cursor& c, int column) { return c.get_bytes(column); }
};

template <>
struct Codec<Uuid> {
  static constexpr Kind kind = Kind::uuid;
  static Param to_param(const Uuid& value) { return Param::make_view(kind, &value, 16); }
  static Uuid read(const Cursor& c, int column) { return c.get_uuid(column); }
};

template <class Tag>
struct Codec<Id<Tag>> {
  static constexpr Kind kind = Kind::uuid;
  static Param to_param(const Id<Tag>& id) { return Param::make_view(kind, &id.value, 16); }
  static Id<Tag> read(const Cursor& c, int column) { return {c.get_uuid(column)}; }
};

template <>
struct Codec<Instant> {
  static constexpr Kind kind = Kind::instant;
  static Param to_param(Instant value) { return Param::make_integer(kind, value.us); }
  static Instant read(const Cursor& c, int column) { return c.get_instant(column); }
};

template <>
struct Codec<std::vector<std::int64_t>> {
  static constexpr Kind kind = Kind::int64_array;
  static Param to_param(const std::vector<std::int64_t>& v) { return Param::make_view(kind, v.data(), v.size()); }
  static std::vector<std::int64_t> read(const Cursor& c, int column) { return c.get_int64_array(column); }
};

template <>
struct Codec<std::vector<std::string>> {
  static constexpr Kind kind = Kind::text_array;
  static Param to_param(const std::vector<std::string>& v) { return Param::make_view(kind, v.data(), v.size()); }
  static std::vector<std::string> read(const Cursor& c, int column) { return c.get_text_array(column); }
};

/// Parameters only: an id list for `= any($1)` on PostgreSQL.
template <>
struct Codec<std::vector<Uuid>> {
  static constexpr Kind kind = Kind::uuid_array;
  static Param to_param(const std::vector<Uuid>& v) { return Param::make_view(kind, v.data(), v.size()); }
};

/// Parameters only.
template <>
struct Codec<std::vector<Instant>> {
  static constexpr Kind kind = Kind::instant_array;
  static Param to_param(const std::vector<Instant>& v) { return Param::make_view(kind, v.data(), v.size()); }
};

template <class E>
requires(std::is_enum_v<E>&& boost::describe::has_describe_enumerators<E>::value) struct Codec<E> {
  static constexpr Kind kind = Kind::text;
  static Param to_param(E value) {
    const char* name = boost::describe::enum_to_string(value, nullptr);
    if (!name) throw_bug("an enum holds a value without a name");
    return Param::make_view(kind, name, std::char_traits<char>::length(name));
  }
  static E read(const Cursor& c, int column) {
    const auto name = c.get_text(column);
    std::optional<E> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
      if (name == enumerator.name) found = enumerator.value;
    });
    if (!found) throw Error(ErrorCode::corrupt, "column '" + std::string(c.column_name(column)) + "' holds an unknown name");
    return *found;
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static constexpr Kind kind = Codec<T>::kind;
  static Param to_param(const std::optional<T>& value) {
    return value ? Codec<T>::to_param(*value) : Param::make_null(kind);
  }
  static std::optional<T> read(const Cursor& c, int column) {
    if (c.is_null(column)) return std::nullopt;
    return Codec<T>::read(c, column);
  }
};

}  // namespace quarry::sql
