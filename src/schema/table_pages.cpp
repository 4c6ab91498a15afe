#include "schema/table_pages.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace quarry::schema {
namespace {

bool is_word(const std::string& text, std::string_view keyword) {
  return text.size() == keyword.size() && std::equal(text.begin(), text.end(), keyword.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

/// Calls `use(token, spaced)` for everything but white space and comments; `spaced` when some of these came before it.
template <class F>
void for_each_token(Engine engine, std::string_view sql, F use) {
  bool spaced = false;
  Lexer lexer(engine, sql);
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    const bool is_space = token.kind == TokenKind::space || token.kind == TokenKind::comment;
    if (!is_space) use(token, spaced);
    spaced = is_space;
  }
}

/// With one blank where there was space, and none inside of parentheses' ends.
void append(std::string& text, const Token& token, bool spaced) {
  if (spaced && !text.empty() && !text.ends_with('(') && !token.is(')')) text += ' ';
  text += token.text;
}

/// A text cut into words, and groups in parentheses with all that is in them.
std::vector<std::string> parts_of(Engine engine, std::string_view sql) {
  std::vector<std::string> parts;
  int depth = 0;
  for_each_token(engine, sql, [&](const Token& token, bool spaced) {
    if (depth == 0) parts.emplace_back();
    append(parts.back(), token, spaced);
    depth += token.is('(') - token.is(')');
  });
  return parts;
}

std::string inside(const std::string& group) { return group.substr(1, group.size() - 2); }

/// `(user_id, id)` as names.
std::vector<std::string> names_in(Engine engine, const std::string& group) {
  std::vector<std::string> names;
  Lexer lexer(engine, group);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant())
    if (token.kind == TokenKind::word || token.kind == TokenKind::quoted_name)
      names.push_back(normalised(engine, token.text));
  return names;
}

bool is_group(const std::vector<std::string>& parts, std::size_t at) { return at < parts.size() && parts[at][0] == '('; }

/// REFERENCES table (columns) ON DELETE ...; `at` is left behind it.
ReferencePage read_reference(Engine engine, const std::vector<std::string>& parts, std::size_t& at) {
  ReferencePage reference;
  reference.table = normalised(engine, parts[++at]);
  ++at;
  if (is_group(parts, at)) reference.targets = names_in(engine, parts[at++]);
  const auto goes_on = [&](const std::string& word) {
    for (const char* keyword : {"on", "delete", "update", "cascade", "restrict", "set", "null", "default", "no", "action",
                                "deferrable", "initially", "deferred", "immediate", "match", "full", "simple"})
      if (is_word(word, keyword)) return true;
    return false;
  };
  // A DEFAULT or NOT NULL that follows belongs to the column.
  for (; at < parts.size() && goes_on(parts[at]); ++at) {
    const bool after_set = !reference.actions.empty() && reference.actions.ends_with("set");
    if ((is_word(parts[at], "default") || is_word(parts[at], "null")) && !after_set) break;
    reference.actions += (reference.actions.empty() ? "" : " ") + normalised(engine, parts[at]);
  }
  return reference;
}

/// A constraint of the whole table, as both engines write it.
void read_constraint(TablePage& page, Engine engine, std::string_view definition) {
  const auto parts = parts_of(engine, definition);
  for (std::size_t at = 0; at < parts.size(); ++at) {
    if (is_word(parts[at], "check") && is_group(parts, at + 1)) return page.checks.push_back(inside(parts[at + 1]));
    if (is_word(parts[at], "primary") && is_group(parts, at + 2)) {
      page.primary_key = names_in(engine, parts[at + 2]);
      return;
    }
    if (is_word(parts[at], "unique") && is_group(parts, at + 1))
      return page.uniques.push_back(names_in(engine, parts[at + 1]));
    if (is_word(parts[at], "foreign") && is_group(parts, at + 2)) {
      auto columns = names_in(engine, parts[at + 2]);
      at += 3;
      auto reference = read_reference(engine, parts, at);
      reference.columns = std::move(columns);
      return page.references.push_back(std::move(reference));
    }
  }
}

/// A column of SQLite as it is written, with the rules of the table that stand in it.
ColumnPage read_sqlite_column(TablePage& page, const Object& object) {
  const auto parts = parts_of(Engine::sqlite, object.definition);
  ColumnPage column{.name = object.name, .type = {}, .default_value = {}, .note = {}, .text = {}};
  if (parts.size() > 1) column.type = normalised(Engine::sqlite, parts[1]);
  for (std::size_t at = 2; at < parts.size();) {
    const auto& word = parts[at++];
    if (is_word(word, "not")) {
      column.not_null = true;
      ++at;
    } else if (is_word(word, "primary")) {
      page.primary_key = {object.name};
      column.not_null = column.not_null || column.type == "integer";  // the row's number
      ++at;
    } else if (is_word(word, "unique")) {
      page.uniques.push_back({object.name});
    } else if (is_word(word, "default") && at < parts.size()) {
      column.default_value = is_group(parts, at) ? inside(parts[at]) : parts[at];
      if (parts[at] == "-" && at + 1 < parts.size()) column.default_value += parts[++at];
      ++at;
    } else if (is_word(word, "check") && is_group(parts, at)) {
      page.checks.push_back(inside(parts[at++]));
    } else if (is_word(word, "references") && at < parts.size()) {
      --at;
      auto reference = read_reference(Engine::sqlite, parts, at);
      reference.columns = {object.name};
      page.references.push_back(std::move(reference));
    } else if (is_word(word, "as") && is_group(parts, at)) {
      column.note = "generated: " + inside(parts[at++]);
    } else if (is_word(word, "collate") && at < parts.size()) {
      column.note = "collate " + parts[at++];
    }
  }
  return column;
}

/// Shorter words for PostgreSQL's long names.
std::string short_type(std::string_view type) {
  if (type == "timestamp with time zone") return "timestamptz";
  if (type == "character varying") return "varchar";
  return std::string(type);
}

ColumnPage postgres_column(const Object& object) {
  ColumnPage column{.name = object.name,
                    .type = short_type(object.attribute("type")),
                    .default_value = std::string(object.attribute("default")),
                    .note = {},
                    .not_null = !object.attribute("not null").empty(),
                    .text = {}};
  if (const auto identity = object.attribute("identity"); !identity.empty())
    column.note = fmt::format("generated {} as identity", identity);
  if (const auto generated = object.attribute("generated"); !generated.empty())
    column.note = "generated: " + one_line(Engine::postgres, generated);
  if (const auto collation = object.attribute("collation"); !collation.empty())
    column.note = fmt::format("collate {}", collation);
  return column;
}

/// What stands `skip` words and groups behind `keyword` in a definition: after ON table, after a trigger's name.
std::string from_word(Engine engine, std::string_view sql, std::string_view keyword, std::size_t skip) {
  int depth = 0;
  std::size_t to_skip = 0;
  Lexer lexer(engine, sql);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant()) {
    if (depth == 0 && to_skip > 0 && --to_skip == 0)
      return one_line(engine, sql.substr(static_cast<std::size_t>(token.text.data() - sql.data())));
    if (depth == 0 && to_skip == 0 && token.is_word(keyword)) to_skip = skip;
    depth += token.is('(') - token.is(')');
  }
  return {};
}

Named index_of(Engine engine, const Object& index) {
  const bool unique = leading_words(engine, index.create, 2).back() == "unique";
  auto text = from_word(engine, index.create, "on", 2);
  if (text.starts_with("USING btree ")) text = text.substr(std::string_view("USING btree ").size());
  return {index.name, (unique ? "unique " : "") + text};
}

/// Without the name and, on SQLite, without what it does.
Named trigger_of(Engine engine, const Object& trigger) {
  auto text = from_word(engine, trigger.create, "trigger", 2);
  if (const auto begin = text.find(" BEGIN "); begin != std::string::npos) text.resize(begin);
  if (const auto state = trigger.attribute("state"); !state.empty() && state != "enable")
    text += fmt::format(" ({}d)", state);
  return {trigger.name, text};
}

/// What every policy has unless it says otherwise is left out.
Named policy_of(const Object& policy) {
  auto text = one_line(Engine::postgres, policy.attribute("definition"));
  for (const std::string_view usual : {"as permissive ", "for all "})
    if (text.starts_with(usual)) text = text.substr(usual.size());
  return {policy.name, text};
}

void add_page_part(TablePage& page, const Object& object, Engine engine) {
  switch (object.type) {
    case ObjectType::constraint:
      return read_constraint(page, engine, object.definition);
    case ObjectType::index:
      return page.indexes.push_back(index_of(engine, object));
    case ObjectType::trigger:
      return page.triggers.push_back(trigger_of(engine, object));
    case ObjectType::policy:
      return page.policies.push_back(policy_of(object));
    case ObjectType::grant:
      return page.grants.push_back({object.name, std::string(object.attribute("privileges"))});
    default:
      return;
  }
}

TablePage page_of(const Model& model, const Object& table) {
  TablePage page;
  page.name = table.name;
  if (const auto by = table.attribute("partitioned by"); !by.empty()) page.kind = fmt::format("partitioned by {}", by);
  if (const auto text = table.attribute("virtual"); !text.empty())
    page.kind = "virtual: " + from_word(model.engine, table.create, "using", 1);
  std::vector<const Object*> columns;
  for (const auto& object : model.objects) {
    if (object.table != table.name) continue;
    if (object.type == ObjectType::column)
      columns.push_back(&object);
    else
      add_page_part(page, object, model.engine);
  }
  std::sort(columns.begin(), columns.end(), [](auto* a, auto* b) { return a->position < b->position; });
  for (const Object* column : columns)
    page.columns.push_back(model.engine == Engine::sqlite ? read_sqlite_column(page, *column) : postgres_column(*column));
  return page;
}

void describe(TablePage& page, const TableDescription& description) {
  page.section = description.section;
  page.text = description.text;
  for (auto& column : page.columns)
    if (const auto text = description.columns.find(column.name); text != description.columns.end())
      column.text = text->second;
}

}  // namespace

std::string one_line(Engine engine, std::string_view sql) {
  std::string text;
  for_each_token(engine, sql, [&](const Token& token, bool spaced) { append(text, token, spaced); });
  return text;
}

std::vector<TablePage> table_pages(const Model& model, const Descriptions& descriptions) {
  std::vector<TablePage> pages;
  const auto add = [&](const Object& table, const TableDescription* description) {
    if (!table.attribute("partition of").empty()) return;
    pages.push_back(page_of(model, table));
    if (description)
      describe(pages.back(), *description);
    else
      pages.back().section = "Others";
  };
  for (const auto& description : descriptions.tables)
    if (const Object* table = model.find(ObjectType::table, {}, description.name)) add(*table, &description);
  for (const auto& object : model.objects) {
    const auto is_known = [&](const TableDescription& description) { return description.name == object.name; };
    if (object.type == ObjectType::table && std::none_of(descriptions.tables.begin(), descriptions.tables.end(), is_known))
      add(object, nullptr);
  }
  return pages;
}

}  // namespace quarry::schema
