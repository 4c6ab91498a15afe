#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "quarry/schema/error.hpp"
#include "quarry/schema/migration.hpp"
#include "schema/embedded.hpp"

namespace quarry::schema {
namespace {

using testing::HasSubstr;

std::vector<SourceFile> files_of(const std::string& label, const std::string& up_sqlite = "create table a (b);") {
  return {{label + "/up.sqlite.sql", up_sqlite},
          {label + "/down.sqlite.sql", ""},
          {label + "/up.postgres.sql", ""},
          {label + "/down.postgres.sql", ""}};
}

std::vector<SourceFile> operator+(std::vector<SourceFile> a, const std::vector<SourceFile>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string refusal_of(const std::vector<SourceFile>& files) {
  try {
    MigrationSet set(files);
  } catch (const MigrationError& error) {
    EXPECT_EQ(error.reason(), Reason::bad_set);
    return error.client_message();
  }
  return "accepted";
}

std::string refusal_of_postgres(const std::string& up) {
  auto files = files_of("0001_first");
  files[2].text = up;
  return refusal_of(files);
}

TEST(MigrationSetTest, ReadsInOrderOfVersions) {
  const MigrationSet set(files_of("0002_second") + files_of("0001_first", "-- note\nselect 1;\nselect 2;"));
  ASSERT_EQ(set.head(), 2);
  EXPECT_EQ(set.migrations()[0].label(), "0001_first");
  EXPECT_EQ(set.find(2)->name, "second");
  EXPECT_EQ(set.find(0), nullptr);
  EXPECT_EQ(set.find(3), nullptr);
  const Script& up = set.find(1)->script(Engine::sqlite, Direction::up);
  ASSERT_EQ(up.statements.size(), 2u);
  EXPECT_EQ(up.statements[1].text, "select 2");
  EXPECT_EQ(up.statements[1].line, 3u);
  EXPECT_EQ(up.statements[1].hash, sha256_hex("select 2"));
  EXPECT_EQ(up.checksum, sha256_hex("-- note\nselect 1;\nselect 2;"));
}

TEST(MigrationSetTest, ChecksumIsSha256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(MigrationSetTest, NamesWhatIsWrong) {
  EXPECT_THAT(refusal_of(files_of("0002_second")), HasSubstr("migration 0002_second stands where number 0001 should"));
  EXPECT_THAT(refusal_of(files_of("0001_a") + files_of("0003_c")), HasSubstr("0003_c stands where number 0002 should"));
  EXPECT_THAT(refusal_of(files_of("0001_a") + files_of("0001_b")), HasSubstr("0001_a and 0001_b have the same number"));
  EXPECT_THAT(refusal_of(files_of("1_a")), HasSubstr("1_a/up.sqlite.sql: its folder should be four digits"));
  EXPECT_THAT(refusal_of(files_of("0001_Users")), HasSubstr("its folder should be four digits"));
  EXPECT_THAT(refusal_of({{"notes.sql", ""}}), HasSubstr("notes.sql: its folder should be"));
  EXPECT_THAT(refusal_of(files_of("0001_a") + std::vector<SourceFile>{{"0001_a/up.mysql.sql", ""}}),
              HasSubstr("0001_a/up.mysql.sql: only up and down"));
  auto files = files_of("0001_a");
  files.erase(files.begin() + 1);
  EXPECT_THAT(refusal_of(files), HasSubstr("migration 0001_a has no down.sqlite.sql"));
}

TEST(MigrationSetTest, ReadsDirectives) {
  const MigrationSet set(files_of(
      "0001_a", "-- Why.\n-- quarry: rebuild\n--   quarry: is no directive with more spaces\n--  quarry:\nselect 1"));
  EXPECT_TRUE(set.find(1)->up_sqlite.rebuild);
  EXPECT_FALSE(set.find(1)->up_sqlite.no_transaction);
  const MigrationSet other(files_of("0001_a", "-- quarry: no-transaction  \n-- quarry: destructive\nvacuum"));
  EXPECT_TRUE(other.find(1)->up_sqlite.no_transaction);
  EXPECT_TRUE(other.find(1)->up_sqlite.destructive);
}

TEST(MigrationSetTest, RefusesDirectivesThatDoNotFit) {
  EXPECT_THAT(refusal_of(files_of("0001_a", "\n-- quarry: notransaction")),
              HasSubstr("line 2: 'notransaction' is no directive"));
  EXPECT_THAT(refusal_of(files_of("0001_a", "select 1;\n-- quarry: rebuild")),
              HasSubstr("line 2: a directive stands before"));
  EXPECT_THAT(refusal_of(files_of("0001_a", "-- quarry: rebuild\n-- quarry: no-transaction")),
              HasSubstr("exclude each other"));
  EXPECT_THAT(refusal_of_postgres("-- quarry: rebuild"), HasSubstr("'rebuild' is for SQLite"));
}

TEST(MigrationSetTest, RefusesStatementsThatBelongToTheMigrator) {
  for (const char* statement : {"begin", "BEGIN IMMEDIATE", "commit", "rollback", "end", "savepoint a", "release a"})
    EXPECT_THAT(refusal_of(files_of("0001_a", statement)), HasSubstr("the migrator begins and ends the transaction"))
        << statement;
  EXPECT_THAT(refusal_of(files_of("0001_a", "pragma foreign_keys = off")), HasSubstr("does nothing within a transaction"));
  EXPECT_THAT(refusal_of(files_of("0001_a", "select 1;\n\nvacuum")), HasSubstr("line 3: this statement cannot stand"));
  for (const char* statement :
       {"create index concurrently i on t (a)", "CREATE UNIQUE INDEX CONCURRENTLY i on t (a)", "drop index concurrently i",
        "reindex table concurrently t", "vacuum t", "alter table t detach partition p concurrently", "create database x"})
    EXPECT_THAT(refusal_of_postgres(statement), HasSubstr("cannot stand in a transaction")) << statement;
  for (const char* statement : {"create index i on t (a)", "alter table t detach partition p", "reindex table t",
                                "create table concurrently_not (a int)"})
    EXPECT_EQ(refusal_of_postgres(statement), "accepted") << statement;
  EXPECT_THAT(refusal_of_postgres("-- quarry: no-transaction\ncreate unique index concurrently on t (a)"),
              HasSubstr("line 2: name the index"));
  EXPECT_EQ(refusal_of_postgres("-- quarry: no-transaction\ncreate index concurrently i on t (a)"), "accepted");
  EXPECT_THAT(refusal_of(files_of("0001_a", "select 'a")), HasSubstr("0001_a/up.sqlite.sql, line 1: the string"));
}

TEST(MigrationSetTest, SeesWhatLosesData) {
  const auto destructive = [](const char* down) {
    auto files = files_of("0001_a");
    files[3].text = down;
    return MigrationSet(files).find(1)->down_postgres.destructive;
  };
  for (const char* statement :
       {"drop table a", "delete from a", "truncate a", "alter table a drop b", "alter table a drop column b",
        "alter table a add c int, drop column b", "alter table a alter b set not null, drop c"})
    EXPECT_TRUE(destructive(statement)) << statement;
  for (const char* statement :
       {"drop index a", "alter table a drop constraint b", "alter table a alter column b drop default",
        "alter table a alter b drop not null", "create table a (b int)", "drop view v"})
    EXPECT_FALSE(destructive(statement)) << statement;
}

TEST(MigrationSetTest, ReadsAFolder) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "quarry_migration_set";
  fs::remove_all(folder);
  for (const auto& file : files_of("0001_a", "select 'ä';\n")) {
    fs::create_directories((folder / file.path).parent_path());
    std::ofstream(folder / file.path, std::ios::binary) << file.text;
  }
  const auto set = MigrationSet::from_directory(folder);
  ASSERT_EQ(set.head(), 1);
  EXPECT_EQ(set.find(1)->up_sqlite.text, "select 'ä';\n");
  fs::remove_all(folder);
  EXPECT_THROW(MigrationSet::from_directory(folder), Error);
}

TEST(EmbeddedSql, IsWhatCMakeRead) {
  for (const auto& file : embedded_migrations()) EXPECT_EQ(sha256_hex(file.text), file.sha256) << file.path;
  EXPECT_EQ(sha256_hex(embedded_sqlite_schema().text), embedded_sqlite_schema().sha256);
  EXPECT_EQ(sha256_hex(embedded_postgres_schema().text), embedded_postgres_schema().sha256);
  EXPECT_NO_THROW(MigrationSet::embedded());
}

TEST(ExitCodes, TellReasonsApart) {
  EXPECT_EQ(exit_code(Reason::pending), 2);
  EXPECT_EQ(exit_code(Reason::not_initialised), 2);
  EXPECT_EQ(exit_code(Reason::drift), 3);
  EXPECT_EQ(exit_code(Reason::checksum), 4);
  EXPECT_EQ(exit_code(Reason::locked), 5);
  EXPECT_EQ(exit_code(Reason::failed), 1);
}

}  // namespace
}  // namespace quarry::schema
