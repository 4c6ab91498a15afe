#include "schema/postgres_alter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {
namespace {

bool is_enum(const Object& column) { return !column.attribute("enum").empty(); }

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const auto comma = list.find(", ");
    items.emplace_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 2);
  }
  return items;
}

/// `fillfactor=70` goes, `fillfactor=80` comes.
void alter_options(std::vector<std::string>& statements, const Object& actual, const Object& expected) {
  if (actual.attribute("options") == expected.attribute("options")) return;
  std::vector<std::string> names;
  for (const auto& option : split_list(actual.attribute("options"))) names.push_back(option.substr(0, option.find('=')));
  if (!names.empty())
    statements.push_back(fmt::format("alter table {} reset ({})", expected.definition, fmt::join(names, ", ")));
  if (!expected.attribute("options").empty())
    statements.push_back(fmt::format("alter table {} set ({})", expected.definition, expected.attribute("options")));
}

}  // namespace

std::string column_name_sql(const Object& column) {
  Lexer lexer(Engine::postgres, column.definition);
  return std::string(lexer.next_significant().text);
}

bool must_replace_column(const Object& actual, const Object& expected) {
  return actual.attribute("generated") != expected.attribute("generated");
}

std::vector<std::string> alter_column(const Object& table, const Object& actual, const Object& expected) {
  std::vector<std::string> statements;
  const auto column = column_name_sql(expected);
  const auto add = [&](std::string action) {
    statements.push_back(fmt::format("alter table {} alter column {} {}", table.definition, column, action));
  };
  const auto differs = [&](std::string_view name) { return actual.attribute(name) != expected.attribute(name); };
  const bool new_type = differs("type") || differs("collation");
  const auto old_default = actual.attribute("default");
  const auto new_default = expected.attribute("default");
  if (differs("identity") && !actual.attribute("identity").empty() && expected.attribute("identity").empty())
    add("drop identity");
  // A default of the old type may not fit the new one.
  if (!old_default.empty() && (new_default.empty() || new_type)) add("drop default");
  if (new_type) {
    const auto type = expected.attribute("type");
    const auto collation = expected.attribute("collation");
    const auto text = is_enum(actual) || is_enum(expected) ? "::text" : "";
    add(fmt::format("type {}{}{} using {}{}::{}", type, collation.empty() ? "" : " collate ", collation, column, text,
                    type));
  }
  if (!new_default.empty() && (new_type || old_default != new_default)) add(fmt::format("set default {}", new_default));
  if (differs("not null")) add(expected.attribute("not null").empty() ? "drop not null" : "set not null");
  if (differs("identity") && !expected.attribute("identity").empty())
    add(actual.attribute("identity").empty() ? fmt::format("add generated {} as identity", expected.attribute("identity"))
                                             : fmt::format("set generated {}", expected.attribute("identity")));
  if (differs("storage")) {
    // Not set means as the type has it, which for all types with a choice here is extended.
    const auto storage = expected.attribute("storage");
    add(fmt::format("set storage {}", storage.empty() ? "extended" : storage));
  }
  if (auto sql = alter_identity_sequence(table, actual, expected); !sql.empty()) statements.push_back(std::move(sql));
  return statements;
}

std::string alter_identity_sequence(const Object& table, const Object& actual, const Object& expected) {
  const auto wanted = expected.attribute("sequence");
  if (actual.attribute("sequence") == wanted || expected.attribute("identity").empty()) return {};
  const auto type = expected.attribute("type");
  const std::string_view last = type == "smallint" ? "32767" : type == "integer" ? "2147483647" : "9223372036854775807";
  auto options = wanted.empty() ? fmt::format("start 1 increment 1 minvalue 1 maxvalue {} cache 1 no cycle", last)
                                : std::string(wanted);
  for (const std::string_view word : {"start ", "increment ", "minvalue ", "maxvalue ", "cache ", "no cycle"})
    if (const auto at = options.find(word); at != std::string::npos) options.insert(at, "set ");
  if (options.ends_with(" cycle") && !options.ends_with("no cycle")) options.insert(options.rfind("cycle"), "set ");
  return fmt::format("alter table {} alter column {} {}", table.definition, column_name_sql(expected), options);
}

std::vector<std::string> alter_table_settings(const Object& actual, const Object& expected) {
  std::vector<std::string> statements;
  const auto differs = [&](std::string_view name) { return actual.attribute(name) != expected.attribute(name); };
  const auto add = [&](std::string_view action) {
    statements.push_back(fmt::format("alter table {} {}", expected.definition, action));
  };
  if (differs("persistence")) add(expected.attribute("persistence").empty() ? "set logged" : "set unlogged");
  if (differs("row security"))
    add(expected.attribute("row security").empty() ? "disable row level security" : "enable row level security");
  if (differs("force row security"))
    add(expected.attribute("force row security").empty() ? "no force row level security" : "force row level security");
  alter_options(statements, actual, expected);
  return statements;
}

std::string alter_replica_identity(const Object& actual, const Object& expected) {
  const auto identity = expected.attribute("replica identity");
  if (actual.attribute("replica identity") == identity) return {};
  return fmt::format("alter table {} replica identity {}", expected.definition, identity.empty() ? "default" : identity);
}

std::vector<std::string> alter_domain(const Object& actual, const Object& expected) {
  std::vector<std::string> statements;
  if (actual.attribute("type") != expected.attribute("type")) return statements;
  const auto alter = "alter domain " + expected.definition;
  const auto is_constraint = [](const Attribute& a) { return a.name.starts_with("constraint "); };
  for (const auto& old : actual.attributes)
    if (is_constraint(old) && expected.attribute(old.name) != old.value)
      statements.push_back(fmt::format("{} drop {}", alter, old.name));
  const auto new_default = expected.attribute("default");
  if (actual.attribute("default") != new_default)
    statements.push_back(new_default.empty() ? alter + " drop default"
                                             : fmt::format("{} set default {}", alter, new_default));
  if (actual.attribute("not null") != expected.attribute("not null"))
    statements.push_back(alter + (expected.attribute("not null").empty() ? " drop not null" : " set not null"));
  for (const auto& constraint : expected.attributes)
    if (is_constraint(constraint) && actual.attribute(constraint.name) != constraint.value)
      statements.push_back(fmt::format("{} add {} {}", alter, constraint.name, constraint.value));
  return statements;
}

std::string create_table(const Object& table, const std::vector<const Object*>& columns,
                         const std::vector<const Object*>& constraints) {
  if (!table.create.empty()) return table.create;
  std::vector<std::string> parts;
  for (const Object* column : columns) parts.push_back("  " + column->definition);
  for (const Object* constraint : constraints) parts.push_back("  " + constraint->definition);
  auto sql = fmt::format("create table {} (\n{}\n)", table.definition, fmt::join(parts, ",\n"));
  if (!table.attribute("partitioned by").empty()) sql += fmt::format(" partition by {}", table.attribute("partitioned by"));
  return sql;
}

}  // namespace quarry::schema
