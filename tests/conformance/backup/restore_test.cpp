/// What a restore refuses, and that it leaves everything as it was then.

#include "backup/file.hpp"
#include "backup/postgres/server.hpp"
#include "conformance/backup/backup_test.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

class BackupRestore : public BackupTest {
 protected:
  /// Into the database that was backed up.
  backup::Restored restore_home(bool replace) {
    return backup::restore(dir(), database().url(), keys(), {.replace = replace, .blobs = blobs()});
  }
  static std::set<std::string> entries(const std::filesystem::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename());
    return names;
  }
};
QUARRY_BOTH_ENGINES(BackupRestore);

TEST_P(BackupRestore, DoesNotReplaceRowsUnlessTold) {
  put({"one"});
  make();
  restore();
  EXPECT_EQ(code([&] { restore(); }), ErrorCode::conflict);
  expect_sound(other_url(), other_blobs(), 1);
  put({"two"});
  make();
  restore({.replace = true});
  expect_sound(other_url(), other_blobs(), 2);
}

TEST_P(BackupRestore, DoesNotReplaceADatabaseInUse) {
  put({"one"});
  make();
  put({"two"});
  EXPECT_EQ(code([&] { restore_home(true); }), ErrorCode::busy);
  EXPECT_EQ(artifacts_in(db()), 2);
}

TEST_P(BackupRestore, SaysWhatIsInTheWayBeforeItHasDoneTheWork) {
  put({"one"});
  const auto part = dir() / make().name / "database.sealed";
  auto bytes = read_file(part);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(part, bytes);
  EXPECT_EQ(code([&] { restore_home(true); }), ErrorCode::busy) << "and not what is found while it is unsealed";
  EXPECT_EQ(code([&] { restore({.blobs = database().folder() / "none" / "blobs"}); }), ErrorCode::not_found) << "the same";
  EXPECT_EQ(code([&] { restore(); }), ErrorCode::corrupt);
}

TEST_P(BackupRestore, BringsBackWhatWasDeletedSince) {
  put({"one", "two"});
  make();
  db().write([](Write& tx) { tx.run(sql::Command<void()>("test.delete", "delete from artifacts")); });
  restore();
  expect_sound(other_url(), other_blobs(), 2);
}

TEST_P(BackupRestore, LeavesNothingBehindWhenItFails) {
  put({"one"});
  const auto made = make();
  const auto before = entries(database().folder());
  const auto part = dir() / made.name / "database.sealed";
  auto bytes = read_file(part);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(part, bytes);
  EXPECT_EQ(damage([&] { restore(); }), backup::Damage::changed);
  EXPECT_EQ(entries(database().folder()), before);
  EXPECT_FALSE(other_exists());
}

TEST_P(BackupRestore, WantsTheEngineOfTheBackup) {
  put({"one"});
  make();
  const auto wrong = is_sqlite() ? PrivateCluster::shared_url() : "sqlite:" + (database().folder() / "other.db").string();
  EXPECT_EQ(code([&] { backup::restore(dir(), wrong, keys()); }), ErrorCode::invalid);
}

/// A killed restore's file or database, which nobody holds, and a running one's.
TEST_P(BackupRestore, WhatAKilledOneHasLeftGoesWithTheNext) {
  put({"one"});
  make();
  if (is_sqlite()) {
    const auto left = database().folder() / "other.db.restoring-00000001";
    const auto held = database().folder() / "other.db.restoring-00000002";
    const auto earlier = std::filesystem::file_time_type::clock::now() - std::chrono::minutes(1);
    for (const auto& file : {left, held}) {
      write_file(file, "half of it");
      std::filesystem::last_write_time(file, earlier);
    }
    const auto lock = backup::File::open_to_read(held);
    ASSERT_TRUE(lock.lock(held));
    restore();
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_TRUE(std::filesystem::exists(held));
    return;
  }
  const auto left = backup::postgres::new_scratch_name("restore"), held = backup::postgres::new_scratch_name("restore");
  backup::postgres::Administration holder(url_of_database(database().url(), "postgres"));
  backup::postgres::hold_scratch(holder, held);
  for (const auto& name : {left, held}) run_as_admin("create database " + name);
  restore();
  const auto exists = [](const std::string& name) {
    return !run_as_admin("select 1 from pg_database where datname = '" + name + "'").empty();
  };
  EXPECT_FALSE(exists(left));
  EXPECT_TRUE(exists(held));
  run_as_admin("drop database " + held);
}

TEST_P(BackupRestore, KeepsTheOwnerAndTheRightsOfTheDatabaseThatItReplaces) {
  if (is_sqlite()) return;
  put({"one"});
  make();
  restore();
  const auto role = other_name() + "_owner";
  run_as_admin("create role " + role);
  run_as_admin("alter database " + other_name() + " owner to " + role);
  run_as_admin("revoke connect on database " + other_name() + " from public");
  run_as_admin("grant create on database " + other_name() + " to quarry_tenant with grant option");
  const auto rights = [&] {
    return run_as_admin(
        "select pg_get_userbyid(datdba) || ' ' || array(select a::text from unnest(datacl) a order by 1)::text"
        " from pg_database where datname = '" +
        other_name() + "'");
  };
  const auto before = rights();
  restore({.replace = true});
  EXPECT_EQ(rights(), before);
  run_as_admin("drop database " + other_name());
  run_as_admin("drop role " + role);
}

class SqliteRestore : public BackupTest {};
INSTANTIATE_TEST_SUITE_P(, SqliteRestore, testing::Values(sql::Engine::sqlite), engine_name);

TEST_P(SqliteRestore, ADamagedDatabaseIsMovedAside) {
  put({"one"});
  make();
  const auto file = database().folder() / "other.db";
  write_file(file, "this is no database at all, and long enough to be looked at: " + std::string(4096, 'x'));
  write_file(file.string() + "-wal", "what was left of it");
  EXPECT_TRUE(code([&] { restore(); })) << "it may hold something";
  const auto restored = restore({.replace = true});
  ASSERT_TRUE(restored.moved_aside);
  EXPECT_TRUE(std::filesystem::exists(*restored.moved_aside));
  EXPECT_TRUE(std::filesystem::exists(*restored.moved_aside + "-wal"));
  expect_sound(other_url(), other_blobs(), 1);
}

TEST_P(SqliteRestore, SoIsOneThatIsDamagedInsideItsPages) {
  put({"one"});
  make();
  restore();
  const auto file = database().folder() / "other.db";
  // Where only who reads that table would meet it.
  const auto page = Database::open(other_url(), {.create = false}).read([](Read& tx) {
    return tx.value(sql::Query<std::int64_t()>("test.page", "select rootpage from sqlite_schema where name = 'users'"));
  });
  auto bytes = read_file(file);
  bytes.replace(static_cast<std::size_t>(page - 1) * 4096, 64, std::string(64, 'x'));
  write_file(file, bytes);
  const auto restored = restore({.replace = true});
  ASSERT_TRUE(restored.moved_aside);
  EXPECT_EQ(read_file(*restored.moved_aside), bytes);
  expect_sound(other_url(), other_blobs(), 1);
}

TEST_P(SqliteRestore, ALogThatWasLeftIsNotTakenForTheNewDatabases) {
  put({"one"});
  make();
  write_file((database().folder() / "other.db-wal"), std::string(100'000, 'x'));
  restore();
  EXPECT_FALSE(std::filesystem::exists(database().folder() / "other.db-wal"));
  expect_sound(other_url(), other_blobs(), 1);
}

TEST_P(SqliteRestore, WhatTheReplacedDatabaseHadInItsLogIsNotReplayed) {
  put({"one"});
  make();
  restore();
  {
    // Its log is full of commits, and nobody has it open.
    auto other = Database::open(other_url(), {.create = false});
    for (int i = 0; i < 20; ++i)
      other.write(
          [](Write& tx) { tx.run(sql::Command<void()>("test.touch", "update users set username = username || 'x'")); });
  }
  restore({.replace = true});
  const auto name = Database::open(other_url(), {.create = false}).read([](Read& tx) {
    return tx.value(sql::Query<std::string()>("test.name", "select username from users where email like 'ada%'"));
  });
  EXPECT_EQ(name, "ada");
}

}  // namespace
}  // namespace quarry::test
