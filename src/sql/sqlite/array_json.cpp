#include "sql/sqlite/array_json.hpp"

#include <boost/json.hpp>

#include "quarry/core/error.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

boost::json::array parse_array(std::string_view json) {
  boost::system::error_code failed;
  auto value = boost::json::parse({json.data(), json.size()}, failed);
  if (failed || !value.is_array()) throw Error(ErrorCode::corrupt, "a column that holds a list holds something else");
  return std::move(value.as_array());
}

}  // namespace

std::string to_json(const Param& array) {
  boost::json::array out;
  out.reserve(array.size);
  switch (array.kind) {
    case Kind::int64_array:
      for (std::size_t i = 0; i < array.size; ++i) out.emplace_back(static_cast<const std::int64_t*>(array.data)[i]);
      break;
    case Kind::instant_array:
      for (std::size_t i = 0; i < array.size; ++i) out.emplace_back(static_cast<const Instant*>(array.data)[i].us);
      break;
    case Kind::text_array:
      for (std::size_t i = 0; i < array.size; ++i) out.emplace_back(static_cast<const std::string*>(array.data)[i]);
      break;
    default:
      throw_bug("a list of ids cannot be a parameter on SQLite: run the statement once for each");
  }
  return boost::json::serialize(out);
}

std::vector<std::int64_t> int64_array(std::string_view json) {
  std::vector<std::int64_t> out;
  for (const auto& element : parse_array(json)) {
    if (!element.is_int64()) throw Error(ErrorCode::corrupt, "a list of numbers holds something else");
    out.push_back(element.get_int64());
  }
  return out;
}

std::vector<std::string> text_array(std::string_view json) {
  std::vector<std::string> out;
  for (const auto& element : parse_array(json)) {
    if (!element.is_string()) throw Error(ErrorCode::corrupt, "a list of texts holds something else");
    out.emplace_back(element.get_string());
  }
  return out;
}

}  // namespace quarry::sql::sqlite_driver
