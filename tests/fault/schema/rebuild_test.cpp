/// SQLite tables made anew: what must survive, and what must be refused.

#include <gmock/gmock.h>

#include "conformance/schema/migration_files.hpp"
#include "support/test_database.hpp"

namespace quarry::schema::test {
namespace {

using testing::HasSubstr;

const std::string tables =
    "create table a (id integer primary key, b text not null);\n"
    "create table child (id integer primary key autoincrement, a_id integer not null references a on delete cascade);\n"
    "create trigger a_gone after delete on a begin insert into gone values (old.id); end;\ncreate table gone (id "
    "integer);\n";

/// For SQLite alone.
FileTexts tables_migration() { return {.name = "first", .up_sqlite = state_tables(Engine::sqlite) + tables}; }

class Rebuild : public testing::Test {
 protected:
  Rebuild() {
    migrate_up(db_, set_of({tables_migration()}), {.verify = false});
    run("insert into a values (1, 'x'), (2, 'y'); insert into child (a_id) values (1), (1), (2); delete from child where id "
        "= 3");
  }
  void run(const std::string& sql) {
    db_.write([&](Write& tx) { tx.session().run_script("test.run", sql); });
  }
  std::int64_t count(const std::string& sql) {
    return db_.read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
  MigrationSet set_with(const std::string& rebuild) {
    return set_of({tables_migration(), {.name = "second", .up_sqlite = "-- quarry: rebuild\n" + rebuild}});
  }
  Database db_ = Database::open("sqlite::memory:");
};

TEST_F(Rebuild, KeepsTheChildren) {
  migrate_up(
      db_,
      set_with(
          "create table n (id integer primary key, b text not null, c text);\ninsert into n (id, b) select id, b from a;\n"
          "drop table a;\nalter table n rename to a;"));
  EXPECT_EQ(count("select count(*) from a"), 2);
  EXPECT_EQ(count("select count(*) from child"), 2);
  EXPECT_EQ(count("select count(*) from gone"), 0);
  EXPECT_EQ(count("select count(*) from pragma_foreign_key_list('child') where \"table\" = 'a'"), 1);
  // Foreign keys are on again.
  EXPECT_THROW(run("insert into child (a_id) values (77)"), Error);
}

/// Without the directive the children go: the trap that the directive is for.
TEST_F(Rebuild, WithoutTheDirectiveWouldLoseThem) {
  migrate_up(
      db_,
      set_of({tables_migration(),
              {.name = "second",
               .up_sqlite = "create table n (id integer primary key, b text not null);\ninsert into n select * from a;\n"
                            "drop table a;\nalter table n rename to a;"}}),
      {.verify = false});
  EXPECT_EQ(count("select count(*) from child"), 0);
}

TEST_F(Rebuild, RefusesACopyThatLostRows) {
  const auto [reason, message] = refusal([&] {
    migrate_up(
        db_,
        set_with("create table n (id integer primary key, b text not null);\ninsert into n select * from a where id = 1;\n"
                 "drop table a;\nalter table n rename to a;"));
  });
  EXPECT_EQ(reason, Reason::failed);
  EXPECT_THAT(message, HasSubstr("it has 2 rows, the copy 1"));
  EXPECT_EQ(count("select count(*) from a"), 2);
}

TEST_F(Rebuild, RefusesACopyThatChangedValues) {
  const auto [reason, message] = refusal([&] {
    migrate_up(db_,
               set_with("create table n (id integer primary key, b text not null);\ninsert into n select id, 'y' from a;\n"
                        "drop table a;\nalter table n rename to a;"));
  });
  EXPECT_EQ(reason, Reason::failed);
  EXPECT_THAT(message, HasSubstr("1 rows differ"));
}

TEST_F(Rebuild, RefusesRowsWithoutParent) {
  const auto [reason, message] = refusal([&] { migrate_up(db_, set_with("delete from a where id = 1;")); });
  EXPECT_EQ(reason, Reason::failed);
  EXPECT_THAT(message, HasSubstr("2 rows of child refer to rows of a that do not exist"));
  EXPECT_EQ(count("select count(*) from a"), 2);
  EXPECT_THROW(run("insert into child (a_id) values (77)"), Error);
}

TEST_F(Rebuild, KeepsTheCounterOfAutoincrement) {
  const auto base = set_of({tables_migration()});
  auto wanted = state_tables(Engine::sqlite) + tables;
  wanted.replace(wanted.find("on delete cascade"), 17, "on delete restrict");
  const auto diff = diff_desired(db_, base, {wanted, {}});
  EXPECT_TRUE(diff.up.rebuild);
  migrate_up(db_, set_of({tables_migration(), {.name = "second", .up_sqlite = script_text(diff.up)}}));
  EXPECT_EQ(count("select seq from sqlite_sequence where name = 'child'"), 3);
  EXPECT_EQ(count("select count(*) from sqlite_sequence"), 1);
}

}  // namespace
}  // namespace quarry::schema::test
