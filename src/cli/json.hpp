#pragma once
/// Values as JSON: described structs become objects with their members' names, ids, hashes and times become text, `Json`
/// becomes what it says, and what is not there becomes null.

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/param.hpp"

namespace quarry::cli {

namespace json_detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
}  // namespace json_detail

/// Whether every number in it is one: a number beyond a double's range is read as infinite, which JSON cannot say.
bool all_finite(const boost::json::value& value);

/// JSON that the database holds. It was checked when it came in; should it be damaged, it is shown as text.
inline boost::json::value to_json(const Json& stored) {
  boost::json::error_code error;
  auto value = boost::json::parse(stored.text, error);
  return error || !all_finite(value) ? boost::json::value(stored.text) : value;
}

template <class T>
boost::json::value to_json(const T& value) {
  if constexpr (json_detail::is_optional<T>) {
    return value ? to_json(*value) : boost::json::value(nullptr);
  } else if constexpr (json_detail::is_vector<T>) {
    boost::json::array array;
    for (const auto& element : value) array.push_back(to_json(element));
    return array;
  } else if constexpr (std::is_same_v<T, boost::json::value> || std::is_same_v<T, boost::json::object> ||
                       std::is_same_v<T, boost::json::array>) {
    return value;
  } else if constexpr (std::is_same_v<T, Instant>) {
    return boost::json::value(to_iso8601(value));
  } else if constexpr (std::is_enum_v<T>) {
    return boost::json::value(boost::describe::enum_to_string(value, "unknown"));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return boost::json::value(std::string_view(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return boost::json::value(value);
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    boost::json::object object;
    using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
    boost::mp11::mp_for_each<Members>([&](auto member) { object[member.name] = to_json(value.*member.pointer); });
    return object;
  } else if constexpr (requires {
                         { to_string(value) } -> std::convertible_to<std::string>;
                       }) {
    return boost::json::value(to_string(value));
  } else {
    static_assert(sizeof(T) == 0, "this type has no JSON form");
  }
}

}  // namespace quarry::cli
