#pragma once
/// Arrays on SQLite are JSON text: `["a","b"]`, `[1,2]`; `json_each` unpacks them in a query.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/param.hpp"

namespace quarry::sql::sqlite_driver {

/// An array parameter as JSON. Throws `bug` for arrays of uuids, which JSON has no binary form for.
std::string to_json(const Param& array);

/// Throw `corrupt` when the text is not an array of the wanted kind.
std::vector<std::int64_t> int64_array(std::string_view json);
std::vector<std::string> text_array(std::string_view json);

}  // namespace quarry::sql::sqlite_driver
