#pragma once
/// `$1` means "parameter 1" on PostgreSQL but "a parameter named $1" on SQLite, numbered by first use.

#include <string>
#include <string_view>

namespace quarry::sql::sqlite_driver {

/// The same SQL with `$n` written as `?n`, outside of strings, quoted names and comments.
std::string number_placeholders(std::string_view sql);

}  // namespace quarry::sql::sqlite_driver
