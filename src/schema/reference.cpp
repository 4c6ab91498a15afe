#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quarry/schema/document.hpp"
#include "schema/table_pages.hpp"

namespace quarry::schema {
namespace {

/// Fit for a cell of a Markdown table: no line breaks, no bars.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|') safe += '\\';
    safe += c == '\n' ? ' ' : c;
  }
  return safe;
}

/// As code, also when the text has backquotes in it.
std::string code(std::string_view text) {
  if (text.empty()) return {};
  return text.find('`') == std::string_view::npos ? fmt::format("`{}`", text) : fmt::format("`` {} ``", text);
}

std::string columns_table(const TablePage& page) {
  if (page.columns.empty()) return {};
  std::string text = "\n| column | type | null | default | what |\n|---|---|---|---|---|\n";
  for (const auto& column : page.columns) {
    auto what = column.note.empty()   ? column.text
                : column.text.empty() ? code(column.note)
                                      : fmt::format("{} ({})", column.text, code(column.note));
    text += fmt::format("| {} | {} | {} | {} | {} |\n", column.name, cell(column.type), column.not_null ? "" : "yes",
                        cell(code(column.default_value)), cell(what));
  }
  return text;
}

std::string list(std::string_view heading, const std::vector<Named>& items) {
  if (items.empty()) return {};
  auto text = fmt::format("\n{}\n\n", heading);
  for (const auto& [name, definition] : items) text += fmt::format("- {}: {}\n", name, code(definition));
  return text;
}

std::string keys(const TablePage& page) {
  std::string text;
  if (!page.primary_key.empty()) text += fmt::format("- primary key ({})\n", fmt::join(page.primary_key, ", "));
  for (const auto& unique : page.uniques) text += fmt::format("- unique ({})\n", fmt::join(unique, ", "));
  for (const auto& reference : page.references)
    text += fmt::format("- ({}) refers to [{}](#{}){}{}{}\n", fmt::join(reference.columns, ", "), reference.table,
                        reference.table,
                        reference.targets.empty() ? "" : fmt::format(" ({})", fmt::join(reference.targets, ", ")),
                        reference.actions.empty() ? "" : ", ", reference.actions);
  for (const auto& check : page.checks) text += fmt::format("- check {}\n", code(check));
  return text.empty() ? text : "\nKeys and rules\n\n" + text;
}

std::string referrers(const TablePage& page, const std::vector<TablePage>& pages) {
  std::vector<std::string> names;
  for (const auto& other : pages)
    for (const auto& reference : other.references)
      if (reference.table == page.name) names.push_back(fmt::format("[{0}](#{0})", other.name));
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names.empty() ? "" : fmt::format("\nReferred to by {}.\n", fmt::join(names, ", "));
}

std::string table_text(const TablePage& page, const std::vector<TablePage>& pages) {
  auto text = fmt::format("\n### {}\n", page.name);
  if (!page.text.empty()) text += fmt::format("\n{}\n", page.text);
  if (!page.kind.empty()) text += fmt::format("\n{}\n", code(page.kind));
  return text + columns_table(page) + keys(page) + referrers(page, pages) + list("Indexes", page.indexes) +
         list("Triggers", page.triggers) + list("Policies", page.policies) + list("Granted", page.grants);
}

std::string others(const Model& model, const Descriptions& descriptions) {
  std::string enums;
  std::string functions;
  std::string views;
  for (const auto& object : model.objects) {
    if (object.type == ObjectType::enumeration)
      enums += fmt::format("| {} | {} |\n", object.name, cell(object.attribute("labels")));
    if (object.type == ObjectType::view)
      views += fmt::format("- {}: {}\n", object.name, code(one_line(model.engine, object.attribute("definition"))));
    if (object.type != ObjectType::function) continue;
    const auto told = descriptions.functions.find(object.name.substr(0, object.name.find('(')));
    functions += fmt::format("| {} | {} | {} |\n", cell(code(object.name)), cell(object.attribute("result")),
                             told == descriptions.functions.end() ? "" : cell(told->second));
  }
  std::string text;
  if (!enums.empty()) text += "\n## Enums\n\n| type | values, in order |\n|---|---|\n" + enums;
  if (!functions.empty()) text += "\n## Functions\n\n| function | gives | what |\n|---|---|---|\n" + functions;
  if (!views.empty()) text += "\n## Views\n\n" + views;
  return text;
}

}  // namespace

std::string reference_page(const Model& model, const DesiredSchema& described) {
  const auto descriptions = read_descriptions(model.engine, described.text(model.engine));
  const auto pages = table_pages(model, descriptions);
  const bool sqlite = model.engine == Engine::sqlite;
  std::string text = fmt::format(
      "# Every table on {}\n\n"
      "Made by `quarry schema docs` from a live database; a test holds it to that. The [diagram]({}) shows how the tables\n"
      "refer to each other, [schema.md](schema.md) what holds across them.\n",
      sqlite ? "SQLite" : "PostgreSQL", sqlite ? "schema-diagram-sqlite.md" : "schema-diagram.md");
  std::string section;
  for (const auto& page : pages) {
    if (page.section != section) text += fmt::format("\n## {}\n", page.section.empty() ? "Others" : page.section);
    section = page.section;
    text += table_text(page, pages);
  }
  return text + others(model, descriptions);
}

}  // namespace quarry::schema
