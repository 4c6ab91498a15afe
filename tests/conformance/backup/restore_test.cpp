/// What a restore refuses, and that it leaves everything as it was then.

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
