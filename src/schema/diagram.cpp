#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quarry/schema/document.hpp"
#include "schema/table_pages.hpp"

namespace quarry::schema {
namespace {

/// Mermaid's types are one word of letters, digits, `_`, `-`, brackets and parentheses.
std::string mermaid_type(std::string_view type) {
  std::string word;
  for (const char c : type)
    word += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '[' || c == ']' ? c : '_';
  return word.empty() ? "any" : word;
}

bool is_unique(const TablePage& page, const std::vector<std::string>& columns) {
  return page.primary_key == columns || std::find(page.uniques.begin(), page.uniques.end(), columns) != page.uniques.end();
}

/// `users ||--o{ api_keys : user_id`: of one user, any number of keys. Keys that may be null refer to one or none.
std::string relation(const TablePage& page, const ReferencePage& reference) {
  const auto may_be_null = [&](const std::string& name) {
    return std::any_of(page.columns.begin(), page.columns.end(),
                       [&](const ColumnPage& column) { return column.name == name && !column.not_null; });
  };
  const bool optional = std::any_of(reference.columns.begin(), reference.columns.end(), may_be_null);
  return fmt::format("    {} {}--{} {} : \"{}\"\n", reference.table, optional ? "|o" : "||",
                     is_unique(page, reference.columns) ? "o|" : "o{", page.name, fmt::join(reference.columns, ", "));
}

std::string keys_of(const TablePage& page, const std::string& column) {
  std::vector<std::string> keys;
  const auto has = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), column) != names.end();
  };
  if (has(page.primary_key)) keys.emplace_back("PK");
  if (std::any_of(page.references.begin(), page.references.end(), [&](const auto& r) { return has(r.columns); }))
    keys.emplace_back("FK");
  if (std::any_of(page.uniques.begin(), page.uniques.end(), has)) keys.emplace_back("UK");
  return keys.empty() ? "" : fmt::format(" {}", fmt::join(keys, ", "));
}

std::string entity(const TablePage& page) {
  std::string text = fmt::format("    {} {{\n", page.name);
  for (const auto& column : page.columns)
    text += fmt::format("        {} {}{}\n", mermaid_type(column.type), column.name, keys_of(page, column.name));
  return text + "    }\n";
}

std::vector<std::string> sections_of(const std::vector<TablePage>& pages) {
  std::vector<std::string> sections;
  for (const auto& page : pages)
    if (std::find(sections.begin(), sections.end(), page.section) == sections.end()) sections.push_back(page.section);
  return sections;
}

}  // namespace

std::string diagram_page(const Model& model, const DesiredSchema& described) {
  const auto pages = table_pages(model, read_descriptions(model.engine, described.text(model.engine)));
  const bool sqlite = model.engine == Engine::sqlite;
  std::string text = fmt::format(
      "# The tables of a database on {}, and how they refer to each other\n\n"
      "Made by `quarry schema diagram` from a live database; a test holds it to that. What each table is for stands in the\n"
      "[reference]({}).\n\n"
      "A line goes from the table that is named by a key to the one that has the key: `||` one, `|o` one or none, `o{{` "
      "any\n"
      "number.\n",
      sqlite ? "SQLite" : "PostgreSQL", sqlite ? "schema-reference-sqlite.md" : "schema-reference.md");
  text += "\n## All tables\n\n```mermaid\nerDiagram\n";
  for (const auto& page : pages)
    if (page.references.empty()) text += fmt::format("    {}\n", page.name);
  for (const auto& page : pages)
    for (const auto& reference : page.references) text += relation(page, reference);
  text += "```\n";
  for (const auto& section : sections_of(pages)) {
    text += fmt::format("\n## {}\n\n```mermaid\nerDiagram\n", section.empty() ? "Others" : section);
    for (const auto& page : pages)
      if (page.section == section) text += entity(page);
    for (const auto& page : pages)
      if (page.section == section)
        for (const auto& reference : page.references) text += relation(page, reference);
    text += "```\n";
  }
  return text;
}

}  // namespace quarry::schema
