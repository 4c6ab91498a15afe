#include <fmt/format.h>

#include <algorithm>

#include "quarry/schema/sql_text.hpp"
#include "schema/postgres_alter.hpp"

namespace quarry::schema {

std::vector<std::string> enum_labels(const Object& enumeration) {
  std::vector<std::string> labels;
  Lexer lexer(Engine::postgres, enumeration.attribute("labels"));
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant())
    if (token.kind == TokenKind::string) labels.emplace_back(token.text);
  return labels;
}

std::optional<std::vector<std::string>> add_enum_values(const Object& actual, const Object& expected) {
  const auto old_labels = enum_labels(actual);
  const auto new_labels = enum_labels(expected);
  std::vector<std::string> statements;
  std::size_t next_old = 0;
  for (std::size_t i = 0; i < new_labels.size(); ++i) {
    if (next_old < old_labels.size() && old_labels[next_old] == new_labels[i]) {
      ++next_old;
      continue;
    }
    std::string place;
    if (i > 0)
      place = " after " + new_labels[i - 1];
    else if (!old_labels.empty())
      place = " before " + old_labels.front();
    const auto name = expected.drop.substr(std::string_view("drop type ").size());
    statements.push_back(fmt::format("alter type {} add value {}{}", name, new_labels[i], place));
  }
  if (next_old != old_labels.size()) return std::nullopt;
  return statements;
}

EnumReplacement replace_enum_type(const Model& actual, const Object& target,
                                  const std::function<const Object*(const Object&)>& kept) {
  const auto name = target.drop.substr(std::string_view("drop type ").size());
  const auto old_name = quoted_name(target.name + "_old");
  EnumReplacement replacement{
      {fmt::format("alter type {} rename to {}", name, old_name), target.create}, {}, fmt::format("drop type {}", old_name)};
  for (const auto& column : actual.objects) {
    const Object* kept_column = column.type == ObjectType::column ? kept(column) : nullptr;
    const auto type = column.attribute("type");
    if (!kept_column || (type != name && type != name + "[]") || kept_column->attribute("type") != type) continue;
    const Object* table = actual.find(ObjectType::table, {}, column.table);
    if (!table) continue;
    const auto alter = fmt::format("alter table {} alter column {}", table->definition, column_name_sql(column));
    const auto wants_default = kept_column->attribute("default");
    if (!column.attribute("default").empty()) replacement.columns.push_back(alter + " drop default");
    replacement.columns.push_back(fmt::format("{} type {} using {}::text{}::{}", alter, type, column_name_sql(column),
                                              type == name ? "" : "[]", type));
    if (!wants_default.empty()) replacement.columns.push_back(fmt::format("{} set default {}", alter, wants_default));
  }
  return replacement;
}

}  // namespace quarry::schema
