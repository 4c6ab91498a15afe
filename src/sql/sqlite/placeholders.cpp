#include "sql/sqlite/placeholders.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The end of the literal, quoted name or comment that starts at `at`, or `at` when none does.
std::size_t skip_quoted(std::string_view sql, std::size_t at) {
  const auto find_end = [&](std::string_view closing, std::size_t from) {
    const auto end = sql.find(closing, from);
    return end == std::string_view::npos ? sql.size() : end + closing.size();
  };
  // A doubled quote inside closes one literal and opens the next, which comes to the same.
  if (sql[at] == '\'' || sql[at] == '"') return find_end(sql.substr(at, 1), at + 1);
  if (sql.substr(at, 2) == "--") return find_end("\n", at + 2);
  if (sql.substr(at, 2) == "/*") return find_end("*/", at + 2);
  return at;
}

}  // namespace

std::string number_placeholders(std::string_view sql) {
  std::string out;
  out.reserve(sql.size());
  for (std::size_t at = 0; at < sql.size();) {
    const auto end = skip_quoted(sql, at);
    if (end != at) {
      out.append(sql, at, end - at);
      at = end;
      continue;
    }
    const bool parameter = sql[at] == '$' && at + 1 < sql.size() && is_digit(sql[at + 1]);
    out += parameter ? '?' : sql[at];
    ++at;
  }
  return out;
}

}  // namespace quarry::sql::sqlite_driver
