/// Other programs' databases: they are not backed up, and not replaced unless that is said.

#include "conformance/backup/backup_test.hpp"
#include "quarry/schema/error.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

using testing::SizeIs;

class BackupStrangers : public BackupTest {
 protected:
  void SetUp() override {
    BackupTest::SetUp();
    put({"one"});
  }
  /// A new database at `other_url` in which these statements have been run, not by Quarry.
  void make_other(const std::vector<std::string>& statements) {
    if (is_sqlite()) {
      for (const auto* ending : {"", "-wal", "-shm", "-gate"})
        std::filesystem::remove((database().folder() / "other.db").string() + ending);
      run_script(Database::open(other_url()), statements);
      return;
    }
    run_as_admin("drop database if exists " + other_name());
    run_as_admin("create database " + other_name());
    for (const auto& statement : statements) run_on_postgres(other_url(), statement);
  }
  static void run_script(const Database& db, const std::vector<std::string>& statements) {
    const auto session = db.backend().dedicated();
    for (const auto& statement : statements) session->session().run_script("test.strange", statement);
  }
  std::optional<schema::Reason> refused_because(const std::string& url) {
    try {
      backup::create(url, dir(), keys(), {});
    } catch (const schema::MigrationError& error) {
      return error.reason();
    }
    return std::nullopt;
  }
  /// Nobody can note in it which database it is.
  static std::vector<std::string> closed(bool sqlite) {
    if (sqlite) return {"create trigger closed before insert on system_config begin select raise(abort, 'closed'); end"};
    return {"create or replace function closed() returns trigger language plpgsql as $$ begin raise 'closed'; end $$",
            "create trigger closed before insert on system_config execute function closed()"};
  }
  void close() { run_script(db(), closed(is_sqlite())); }
  void open() { run_script(db(), {is_sqlite() ? "drop trigger closed" : "drop trigger closed on system_config"}); }
};
QUARRY_BOTH_ENGINES(BackupStrangers);

TEST_P(BackupStrangers, AreNotBackedUp) {
  make_other({});
  EXPECT_EQ(refused_because(other_url()), schema::Reason::not_initialised);
  make_other({"create table subscription_plans (id integer)"});
  EXPECT_EQ(refused_because(other_url()), schema::Reason::not_ours);
  EXPECT_FALSE(std::filesystem::exists(dir()));
  make();
  EXPECT_EQ(refused_because(other_url()), schema::Reason::not_ours);
  EXPECT_THAT(backup::Repository::open(dir()).list(), SizeIs(1));
}

TEST_P(BackupStrangers, AreReplacedOnlyWhenTold) {
  make();
  std::vector<std::vector<std::string>> strange{
      {"create table subscription_plans (id integer)", "insert into subscription_plans values (1)"},
      {"create table schema_migrations (version integer)", "insert into schema_migrations values (1)"},
      {"create table artifacts_fts_mine (id integer)", "insert into artifacts_fts_mine values (1)"},
      {"create table empty (id integer)"},
      {"create view one as select 1 as one"},
  };
  if (is_postgres())
    strange.insert(strange.end(), {{"create materialized view one as select 1 as one"},
                                   {"select lo_create(0)"},
                                   {"create sequence numbers"},
                                   {"create type colour as enum ('red')"},
                                   {"create schema elsewhere"},
                                   {"create function one() returns int language sql as 'select 1'"}});
  for (const auto& statements : strange) {
    make_other(statements);
    EXPECT_EQ(code([&] { restore(); }), ErrorCode::conflict) << statements[0];
  }
  restore({.replace = true});
  expect_sound(other_url(), other_blobs(), 1);
}

TEST_P(BackupStrangers, BesideQuarrysOwnTablesTheyStay) {
  make();
  make_other({});
  schema::migrate_up(Database::open(other_url()), schema::MigrationSet::embedded());
  const auto strange = is_sqlite() ? std::vector<std::string>{"create table mine (id)", "insert into mine values (1)"}
                                   : std::vector<std::string>{"create schema elsewhere",
                                                              "create table elsewhere.subscription_plans (id int)"};
  run_script(Database::open(other_url(), {.create = false}), strange);
  EXPECT_EQ(code([&] { restore(); }), ErrorCode::conflict);
}

TEST_P(BackupStrangers, ADatabaseThatWasInitialisedAndNoMoreIsReplaced) {
  make();
  make_other({});
  schema::migrate_up(Database::open(other_url()), schema::MigrationSet::embedded());
  restore();
  expect_sound(other_url(), other_blobs(), 1);
}

TEST_P(BackupStrangers, WhatCannotTellWhichDatabaseItIsStandsAlone) {
  close();
  const auto alone = make();
  EXPECT_FALSE(alone.database);
  EXPECT_EQ(code([&] { make(); }), ErrorCode::conflict) << "it may be any other";
  open();
  EXPECT_EQ(code([&] { make(); }), ErrorCode::conflict) << "the one that is there may be any other's";
  std::filesystem::remove_all(dir());
  const auto known = make();
  EXPECT_TRUE(known.database);
  close();
  EXPECT_TRUE(make().database) << "it was noted before";
}

TEST_P(BackupStrangers, ALostSummaryKeepsTheDatabaseItIsOfFromNothing) {
  const auto first = make();
  std::filesystem::remove(dir() / first.name / "backup.json");
  make();
}

}  // namespace
}  // namespace quarry::test
