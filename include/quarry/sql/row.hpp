#pragma once
/// Rows as C++ values. A row type is a described struct (columns are matched to members by name, once per prepared
/// statement; a missing column is an error, never a silent fall back to position: boostorg/mysql#185 tells why) or a single
/// column's type.
///
/// Errors: `bug` for a statement that does not give the columns of its row, `corrupt` for values of another kind.

#include <array>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "quarry/core/error.hpp"
#include "quarry/sql/codec.hpp"

namespace quarry::sql {

template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <DescribedStruct T>
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <class T>
inline constexpr std::size_t member_count = boost::mp11::mp_size<MembersOf<T>>::value;

namespace detail {
template <class T>
inline constexpr char row_type_identity = 0;

template <class T>
void make_row_map(const Cursor& cursor, Cursor::RowMap& map) {
  map.columns.clear();
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
    using M = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
    int found = -1;
    for (int i = 0; i < cursor.column_count() && found < 0; ++i)
      if (cursor.column_name(i) == member.name) found = i;
    if (found < 0) throw_bug(std::string("the query gives no column '") + member.name + "'");
    cursor.check_column(found, Codec<M>::kind);
    map.columns.push_back(found);
  });
  map.row_type = &row_type_identity<T>;
}
}  // namespace detail

/// The current row of `cursor` as a `T`.
template <class T>
T read_row(Cursor& cursor) {
  auto& map = cursor.row_map();
  if constexpr (DescribedStruct<T>) {
    if (map.row_type != &detail::row_type_identity<T>) detail::make_row_map<T>(cursor, map);
    T row{};
    const int* column = map.columns.data();
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
      auto& field = row.*member.pointer;
      field = Codec<std::remove_cvref_t<decltype(field)>>::read(cursor, *column++);
    });
    return row;
  } else {
    if (map.row_type != &detail::row_type_identity<T>) {
      if (cursor.column_count() != 1) throw_bug("the query gives several columns where one is wanted");
      cursor.check_column(0, Codec<T>::kind);
      map.row_type = &detail::row_type_identity<T>;
    }
    return Codec<T>::read(cursor, 0);
  }
}

/// Number of parameters that an argument of type `A` stands for.
template <class A>
constexpr std::size_t width_of() {
  if constexpr (DescribedStruct<A>)
    return member_count<A>;
  else
    return 1;
}

/// Writes the parameters of `value` to `out` and returns the place behind them. The views in them point into `value`.
template <class A>
Param* put_params(const A& value, Param* out) {
  if constexpr (DescribedStruct<A>) {
    boost::mp11::mp_for_each<MembersOf<A>>([&](auto member) {
      const auto& field = value.*member.pointer;
      *out++ = Codec<std::remove_cvref_t<decltype(field)>>::to_param(field);
    });
  } else {
    *out++ = Codec<A>::to_param(value);
  }
  return out;
}

/// The parameters of one call, on the stack.
template <class... A>
std::array<Param, (width_of<A>() + ... + 0)> make_params(const A&... args) {
  std::array<Param, (width_of<A>() + ... + 0)> params;
  [[maybe_unused]] Param* out = params.data();
  ((out = put_params<A>(args, out)), ...);
  return params;
}

}  // namespace quarry::sql
