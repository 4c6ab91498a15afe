#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "schema/change.hpp"
#include "schema/sqlite_table.hpp"

namespace quarry::schema {
namespace {

enum class Step {
  drop_views,
  drop_triggers,
  drop_indexes,
  drop_tables,
  create_tables,
  create_indexes,
  create_views,
  create_triggers,
  rows
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// What ALTER TABLE ADD COLUMN accepts when the table has rows.
bool can_be_added(const Object& column) {
  const auto definition = column.attribute("definition");
  for (const char* part : {"primary key", "unique", "default (", "default current_", "stored"})
    if (contains(definition, part)) return false;
  if (contains(definition, "references") && contains(definition, "default")) return false;
  const bool has_default = contains(definition, "default ") && !contains(definition, "default null");
  return !contains(definition, "not null") || has_default || contains(definition, "generated always");
}

/// What ALTER TABLE DROP COLUMN accepts: nothing else in the table may name the column.
bool can_be_dropped(const Object& column, const ModelIndex& model) {
  const auto definition = column.attribute("definition");
  for (const char* part : {"primary key", "unique", "references"})
    if (contains(definition, part)) return false;
  for (const ObjectType type : {ObjectType::column, ObjectType::constraint})
    for (const Object* other : model.parts(type, column.table))
      if (other != &column && mentions(Engine::sqlite, other->attribute("definition"), column.name)) return false;
  return true;
}

class SqlitePlanner {
 public:
  SqlitePlanner(const Model& actual, const Model& expected)
      : actual_(actual), expected_(expected), there_(actual), wanted_(expected) {}

  ChangePlan plan() {
    for (const auto& object : actual_.objects)
      if (object.type == ObjectType::table) plan_table(object);
    for (const auto& object : expected_.objects)
      if (object.type == ObjectType::table && !there_.find(key_of(object))) create_table(object);
    for (const auto& object : actual_.objects)
      if (is_loose(object)) plan_loose(object);
    for (const auto& object : expected_.objects)
      if (is_loose(object) && (!there_.find(key_of(object)) || redone_.contains(object.table))) create_loose(object);
    for (const auto& object : expected_.objects)
      if (object.type == ObjectType::row) plan_row(object);
    return std::move(plan_);
  }

 private:
  static bool is_loose(const Object& object) {
    return object.type == ObjectType::index || object.type == ObjectType::trigger || object.type == ObjectType::view;
  }

  void plan_table(const Object& table) {
    const Object* target = wanted_.find(key_of(table));
    if (!target) {
      plan_.add(Step::drop_tables, table, table.drop);
      plan_.destructive = true;
      redone_.insert(table.name);
      return;
    }
    if (!table.attribute("virtual").empty() || !target->attribute("virtual").empty()) {
      if (same(table, *target)) return;
      complete_full_text(table);
      plan_.add(Step::drop_tables, table, table.drop);
      create_table(*target);
      redone_.insert(table.name);
      return;
    }
    plan_columns(table, *target);
  }

  /// A full-text index of which a part is missing cannot be opened, and so not be dropped. The parts are those of an empty
  /// index (SQLite's fts5_index.c and fts5_config.c).
  void complete_full_text(const Object& table) {
    if (!contains(table.attribute("virtual"), "using fts5")) return;
    const auto there = table.attribute("content in");
    const auto add = [&](std::string_view part, std::string_view columns, std::string_view rows) {
      const auto name = table.name + std::string(part);
      if (contains(there, name)) return;
      plan_.add(Step::drop_tables, table, fmt::format("create table {} {}", quoted_name(name), columns));
      if (!rows.empty())
        plan_.add(Step::drop_tables, table, fmt::format("insert into {} values {}", quoted_name(name), rows));
    };
    add("_data", "(id integer primary key, block blob)", "(1, x''), (10, x'00000000000000')");
    add("_config", "(k primary key, v) without rowid", "('version', 4)");
    add("_idx", "(segid, term, pgno, primary key (segid, term)) without rowid", {});
  }

  void create_table(const Object& table) {
    plan_.add(Step::create_tables, table, table.create);
    const auto name = quoted_name(table.name);
    // A full-text index over another table's rows is filled from them.
    if (contains(table.attribute("virtual"), "content ="))
      plan_.add(Step::create_tables, table, fmt::format("insert into {0} ({0}) values ('rebuild')", name));
  }

  void plan_columns(const Object& table, const Object& target) {
    std::vector<const Object*> extra;
    std::vector<const Object*> missing;
    bool changed = !same(table, target);
    for (const ObjectType type : {ObjectType::column, ObjectType::constraint}) {
      for (const Object* part : there_.parts(type, table.name)) {
        const Object* other = wanted_.find(key_of(*part));
        if (!other)
          extra.push_back(part);
        else
          changed = changed || !same(*part, *other);
      }
      for (const Object* part : wanted_.parts(type, table.name))
        if (!there_.find(key_of(*part))) missing.push_back(part);
    }
    if (!changed && extra.empty() && missing.empty()) return;
    const auto is_column = [](const Object* part) { return part->type == ObjectType::column; };
    for (const Object* part : extra) {
      plan_.destructive = plan_.destructive || is_column(part);
      changed = changed || !is_column(part) || !can_be_dropped(*part, there_);
    }
    for (const Object* part : missing) changed = changed || !is_column(part) || !can_be_added(*part);
    if (changed) return rebuild(table, target);
    for (const Object* part : missing) plan_.add(Step::create_tables, *part, part->create);
    for (const Object* part : extra) plan_.add(Step::create_tables, *part, part->drop);
  }

  /// The twelve steps of SQLite's manual (lang_altertable.html), less those that the migrator's rebuild mode does for every
  /// script.
  void rebuild(const Object& table, const Object& target) {
    plan_.rebuild = true;
    redone_.insert(table.name);
    const auto old_name = quoted_name(table.name);
    const auto new_name = quoted_name("quarry_new_" + table.name);
    const auto text = parse_create_table(target.create);
    const auto add = [&](std::string sql) { plan_.add(Step::create_tables, table, std::move(sql)); };
    add(text.before_name + new_name + " " + text.after_name);
    const auto [into, from] = copied_columns(table, target);
    if (!into.empty())
      add(fmt::format("insert into {} ({}) select {} from {}", new_name, fmt::join(into, ", "), fmt::join(from, ", "),
                      old_name));
    if (contains(normalised(Engine::sqlite, target.create), "autoincrement")) {
      const auto new_text = quoted_text("quarry_new_" + table.name);
      add(fmt::format("delete from sqlite_sequence where name = {}", new_text));
      add(fmt::format("insert into sqlite_sequence (name, seq) select {}, seq from sqlite_sequence where name = {}",
                      new_text, quoted_text(table.name)));
    }
    add("drop table " + old_name);
    add(fmt::format("alter table {} rename to {}", new_name, old_name));
  }

  std::pair<std::vector<std::string>, std::vector<std::string>> copied_columns(const Object& table,
                                                                               const Object& target) const {
    std::pair<std::vector<std::string>, std::vector<std::string>> lists;
    bool has_integer_key = false;
    for (const Object* column : wanted_.parts(ObjectType::column, target.name)) {
      const auto definition = column->attribute("definition");
      has_integer_key = has_integer_key || definition.starts_with("integer primary key");
      const Object* old = there_.find(key_of(*column));
      if (!old || contains(definition, "generated always") || contains(definition, " as (")) continue;
      lists.first.push_back(quoted_name(column->name));
      lists.second.push_back(copied_value(*old, *column));
    }
    // Full-text indexes find their rows by rowid, so the hidden ones keep it.
    const bool hidden_rowid = !has_integer_key && !contains(table.attribute("options"), "without rowid") &&
                              !contains(target.attribute("options"), "without rowid");
    if (hidden_rowid) {
      lists.first.insert(lists.first.begin(), "rowid");
      lists.second.insert(lists.second.begin(), "rowid");
    }
    return lists;
  }

  /// The old value, cast where the type is another one, and with the default for a null that is allowed no more.
  static std::string copied_value(const Object& old, const Object& column) {
    const auto first_word = [](std::string_view definition) {
      return std::string(definition.substr(0, definition.find(' ')));
    };
    const auto type = first_word(column.attribute("definition"));
    std::string value = quoted_name(column.name);
    if (type != first_word(old.attribute("definition"))) value = fmt::format("cast({} as {})", value, type);
    const auto definition = column.attribute("definition");
    const auto at = definition.find("default ");
    if (contains(definition, "not null") && !contains(old.attribute("definition"), "not null") &&
        at != std::string_view::npos)
      value = fmt::format("coalesce({}, {})", value, default_value(definition.substr(at + 8)));
    return value;
  }

  /// One literal, signed or not, or an expression in parentheses.
  static std::string default_value(std::string_view text) {
    Lexer lexer(Engine::sqlite, text);
    Token token = lexer.next_significant();
    std::string value(token.text);
    if (token.is('-') || token.is('+')) return value + std::string(lexer.next_significant().text);
    for (int depth = token.is('('); depth > 0; value.append(" ").append(token.text)) {
      token = lexer.next_significant();
      if (token.kind == TokenKind::end) break;
      depth += token.is('(') - token.is(')');
    }
    return value;
  }

  void plan_loose(const Object& object) {
    const Object* target = wanted_.find(key_of(object));
    if (target && same(object, *target)) return;
    plan_.add(object.type == ObjectType::view      ? Step::drop_views
              : object.type == ObjectType::trigger ? Step::drop_triggers
                                                   : Step::drop_indexes,
              object, object.drop);
    if (target && !redone_.contains(target->table)) create_loose(*target);
  }

  void plan_row(const Object& row) {
    const Object* there = there_.find(key_of(row));
    if (!there)
      plan_.add(Step::rows, row, row.create);
    else if (!same(*there, row))
      plan_.add(Step::rows, row, row.base);
  }

  void create_loose(const Object& object) {
    plan_.add(object.type == ObjectType::view      ? Step::create_views
              : object.type == ObjectType::trigger ? Step::create_triggers
                                                   : Step::create_indexes,
              object, object.create);
  }

  const Model& actual_;
  const Model& expected_;
  ModelIndex there_;
  ModelIndex wanted_;
  ChangePlan plan_;
  std::set<std::string> redone_;  ///< tables that go or are made anew, and lose their indexes and triggers
};

}  // namespace

ChangePlan plan_sqlite(const Model& actual, const Model& expected) { return SqlitePlanner(actual, expected).plan(); }

}  // namespace quarry::schema
