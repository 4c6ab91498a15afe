#include "quarry/backup/facts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace quarry::backup {

std::int64_t DatabaseFacts::rows() const {
  std::int64_t sum = 0;
  for (const auto& table : tables) sum += table.rows;
  return sum;
}

std::string difference(const DatabaseFacts& expected, const DatabaseFacts& found) {
  if (expected.engine != found.engine) return "the engine is another one";
  if (expected.schema_version != found.schema_version)
    return fmt::format("its schema has version {} instead of {}", found.schema_version, expected.schema_version);
  if (expected.schema_digest != found.schema_digest) return "its schema is another one";
  for (const auto& table : expected.tables) {
    const auto same = std::ranges::find(found.tables, table.name, &TableFacts::name);
    if (same == found.tables.end()) return fmt::format("the table {} is missing", table.name);
    if (same->rows != table.rows)
      return fmt::format("the table {} has {} rows instead of {}", table.name, same->rows, table.rows);
    if (same->digest != table.digest) return fmt::format("the table {} has other contents", table.name);
  }
  if (expected.tables.size() != found.tables.size()) return "there is a table more";
  return {};
}

}  // namespace quarry::backup
