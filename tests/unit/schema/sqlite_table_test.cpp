#include "schema/sqlite_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "schema/scratch.hpp"
#include "schema/sqlite_rebuild.hpp"

namespace quarry::schema {
namespace {

std::vector<std::string> names_of(const std::vector<TablePart>& parts) {
  std::vector<std::string> names;
  for (const auto& part : parts) names.push_back(part.name);
  return names;
}

TEST(SqliteTableText, IsTakenApart) {
  const auto table = parse_create_table(
      "CREATE TABLE \"Odd name\" (\n  id INTEGER PRIMARY KEY,  -- the key, with a comma\n  [b c] TEXT DEFAULT 'x, (y' CHECK "
      "(b IN (1, 2)),\n"
      "  /* ) */ \"order\" REAL,\n  CONSTRAINT \"uq\" UNIQUE (id, \"order\"),\n  check (id > 0)\n) STRICT, WITHOUT ROWID");
  EXPECT_EQ(names_of(table.columns), (std::vector<std::string>{"id", "b c", "order"}));
  EXPECT_EQ(table.columns[0].normalised, "integer primary key");
  EXPECT_EQ(table.columns[1].normalised, "text default 'x, (y' check ( b in ( 1 , 2 ) )");
  EXPECT_EQ(table.columns[2].definition, "\"order\" REAL");
  EXPECT_EQ(names_of(table.constraints), (std::vector<std::string>{"uq", "check ( id > 0 )"}));
  EXPECT_EQ(table.constraints[0].normalised, "unique ( id , order )");
  EXPECT_EQ(table.options, "strict , without rowid");
  EXPECT_EQ(table.before_name, "CREATE TABLE ");
  EXPECT_TRUE(table.after_name.starts_with("(\n  id"));
}

TEST(SqliteTableText, RefusesWhatIsNoTable) {
  EXPECT_THROW(parse_create_table("create table a as select 1"), Error);
  EXPECT_THROW(parse_create_table("create table a (b integer"), Error);
}

TEST(Replacement, IsADropThatARenameFollows) {
  const std::vector<ScriptStatement> statements = {
      {"drop table \"a\"", 1, {}}, {"drop table b", 2, {}}, {"alter table n rename to A", 3, {}}};
  const auto replaced = replacement_at(statements, 0);
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->old_table, "a");
  EXPECT_EQ(replaced->new_table, "n");
  EXPECT_FALSE(replacement_at(statements, 1));
  EXPECT_FALSE(replacement_at(statements, 2));
}

TEST(WithoutConcurrently, MakesAStatementFitATransaction) {
  EXPECT_EQ(without_concurrently("create index CONCURRENTLY i on t (a)"), "create index  i on t (a)");
  EXPECT_EQ(without_concurrently("drop index concurrently if exists \"concurrently\""),
            "drop index  if exists \"concurrently\"");
  EXPECT_EQ(without_concurrently("vacuum t"), "");
  EXPECT_EQ(without_concurrently("reindex index concurrently i"), "");
}

}  // namespace
}  // namespace quarry::schema
