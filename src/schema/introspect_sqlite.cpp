#include <fmt/format.h>

#include <boost/describe/class.hpp>
#include <utility>

#include "schema/introspect.hpp"
#include "schema/sqlite_table.hpp"

namespace quarry::schema {
namespace {

struct MasterRow {
  std::string type;
  std::string name;
  std::string tbl_name;
  std::string sql;
};
BOOST_DESCRIBE_STRUCT(MasterRow, (), (type, name, tbl_name, sql))

// Shadow tables belong to their virtual table (FTS5), sqlite_% and indexes without text to the engine.
constexpr sql::Query<MasterRow()> objects_of_file{
    "schema.sqlite_objects",
    "select m.type, m.name, m.tbl_name, m.sql from sqlite_master m"
    " where m.sql is not null and m.name not like 'sqlite\\_%' escape '\\'"
    " and m.tbl_name not in (select l.name from pragma_table_list l where l.schema = 'main' and l.type = 'shadow')"
    " order by m.rowid"};

/// The tables in which a virtual table keeps its content; it cannot be opened without them.
constexpr sql::Query<std::string(std::string_view)> shadow_tables{
    "schema.sqlite_shadows",
    "select coalesce(group_concat(name, ', '), '') from (select l.name from pragma_table_list l"
    " where l.schema = 'main' and l.type = 'shadow' and l.name glob $1 || '_*' order by l.name)"};

bool is_virtual(const MasterRow& row) { return leading_words(Engine::sqlite, row.sql, 2)[1] == "virtual"; }

void add_parts(Model& model, const std::string& table, const TableText& text) {
  int position = 0;
  for (const auto& column : text.columns) {
    model.objects.push_back(
        {.type = ObjectType::column,
         .table = table,
         .name = column.name,
         .attributes = {{"definition", column.normalised}},
         .create = fmt::format("alter table {} add column {}", quoted_name(table), column.definition),
         .drop = fmt::format("alter table {} drop column {}", quoted_name(table), quoted_name(column.name)),
         .definition = column.definition,
         .position = position++});
  }
  for (const auto& constraint : text.constraints) {
    model.objects.push_back({.type = ObjectType::constraint,
                             .table = table,
                             .name = constraint.name,
                             .attributes = {{"definition", constraint.normalised}},
                             .create = {},
                             .drop = {},
                             .definition = constraint.definition});
  }
}

void add_table(Model& model, Read& tx, const MasterRow& row) {
  Object object{.type = ObjectType::table,
                .table = {},
                .name = row.name,
                .attributes = {},
                .create = row.sql,
                .drop = fmt::format("drop table {}", quoted_name(row.name)),
                .definition = {}};
  if (is_virtual(row)) {
    object.attributes = {{"virtual", normalised(Engine::sqlite, row.sql)},
                         {"content in", tx.value(shadow_tables, std::string_view(row.name))}};
    model.objects.push_back(std::move(object));
    return;
  }
  const auto text = parse_create_table(row.sql);
  object.attributes = {{"options", text.options}};
  model.objects.push_back(std::move(object));
  add_parts(model, row.name, text);
}

void add_other(Model& model, const MasterRow& row, ObjectType type) {
  model.objects.push_back({.type = type,
                           .table = type == ObjectType::view ? std::string{} : row.tbl_name,
                           .name = row.name,
                           .attributes = {{"definition", normalised(Engine::sqlite, row.sql)}},
                           .create = row.sql,
                           .drop = fmt::format("drop {} {}", to_string(type), quoted_name(row.name)),
                           .definition = {}});
}

}  // namespace

Model introspect_sqlite(Read& tx) {
  Model model{Engine::sqlite, {}};
  for (const auto& row : tx.all(objects_of_file)) {
    if (row.type == "table")
      add_table(model, tx, row);
    else if (row.type == "index")
      add_other(model, row, ObjectType::index);
    else if (row.type == "view")
      add_other(model, row, ObjectType::view);
    else if (row.type == "trigger")
      add_other(model, row, ObjectType::trigger);
  }
  return model;
}

}  // namespace quarry::schema
