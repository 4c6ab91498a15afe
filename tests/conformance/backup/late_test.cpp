/// What comes into the target while a restore runs is not lost: its last step looks again.

#include <algorithm>
#include <thread>

#include "backup/examine.hpp"
#include "conformance/backup/backup_test.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::test {
namespace {

/// Restores that have done all of their work but the last step.
class BackupRestoreLate : public BackupTest {
 protected:
  void SetUp() override {
    BackupTest::SetUp();
    put({"one"});
    made_ = make();
  }
  std::filesystem::path other_file() { return database().folder() / "other.db"; }
  std::unique_ptr<backup::RestoredDatabase> restored_so_far() {
    auto backup = backup::open_backup(dir() / made_.name, made_.name, keys());
    auto restored = is_sqlite() ? backup::restore_sqlite(other_file()) : backup::restore_postgres(other_url());
    restored->fill(backup.bytes(), [] {});
    return restored;
  }
  void make_empty() {
    if (is_postgres()) run_as_admin("create database " + other_name());
  }
  /// What `quarry init` does, and a user.
  void begin_to_work() {
    auto other = Database::open(other_url());
    schema::migrate_up(other, schema::MigrationSet::embedded());
    make_user(other, "late");
  }
  std::vector<std::string> users_there() {
    return Database::open(other_url(), {.create = false}).read([](Read& tx) {
      return tx.all(sql::Query<std::string()>("test.users", "select username from users order by username"));
    });
  }
  std::size_t files_in_the_making() {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(database().folder()))
      files += entry.path().filename().string().find(".restoring-") != std::string::npos;
    return files;
  }

  backup::Summary made_;
};
QUARRY_BOTH_ENGINES(BackupRestoreLate);

TEST_P(BackupRestoreLate, RowsWrittenMeanwhileStay) {
  make_empty();
  auto restored = restored_so_far();
  begin_to_work();
  bool bodies_placed = false;
  EXPECT_EQ(code([&] { restored->put_in_place({.before = [&] { bodies_placed = true; }}); }), ErrorCode::conflict);
  EXPECT_FALSE(bodies_placed);
  restored.reset();
  EXPECT_THAT(users_there(), testing::ElementsAre("late"));
  EXPECT_EQ(files_in_the_making(), 0U);
  restored_so_far()->put_in_place({.replace = true});
  EXPECT_THAT(users_there(), testing::ElementsAre("ada"));
}

TEST_P(BackupRestoreLate, ADatabaseMadeMeanwhileStays) {
  auto restored = restored_so_far();
  make_empty();
  begin_to_work();
  EXPECT_EQ(code([&] { restored->put_in_place({}); }), ErrorCode::conflict);
  EXPECT_THAT(users_there(), testing::ElementsAre("late"));
}

TEST_P(BackupRestoreLate, OfTwoAtOnceIntoOnePlaceOneIsToldThatItWasLate) {
  auto first = restored_so_far();
  auto second = restored_so_far();
  first->put_in_place({});
  EXPECT_EQ(code([&] { second->put_in_place({}); }), ErrorCode::conflict);
  EXPECT_THAT(users_there(), testing::ElementsAre("ada"));
}

TEST_P(BackupRestoreLate, WhoeverIsInsideStaysThere) {
  make_empty();
  auto restored = restored_so_far();
  auto other = Database::open(other_url());
  schema::migrate_up(other, schema::MigrationSet::embedded());
  EXPECT_EQ(code([&] { restored->put_in_place({}); }), ErrorCode::busy);
  make_user(other, "late");
}

TEST_P(BackupRestoreLate, WithoutRowsItIsReplaced) {
  make_empty();
  auto restored = restored_so_far();
  schema::migrate_up(Database::open(other_url()), schema::MigrationSet::embedded());
  restored->put_in_place({});
  EXPECT_THAT(users_there(), testing::ElementsAre("ada"));
}

TEST_P(BackupRestoreLate, WhatFailsAtTheLastMomentLeavesTheTarget) {
  make_empty();
  begin_to_work();
  auto restored = restored_so_far();
  EXPECT_EQ(code([&] {
              restored->put_in_place({.replace = true, .before = [] { throw Error(ErrorCode::unavailable, "no room"); }});
            }),
            ErrorCode::unavailable);
  restored.reset();
  EXPECT_THAT(users_there(), testing::ElementsAre("late"));
}

/// A writer that begins whenever it likes: each row that it is told of as written is there afterwards, or the restore has
/// told that it has replaced nothing.
TEST_P(BackupRestoreLate, NoAcknowledgedRowIsLostWheneverItComes) {
  for (int round = 0; round < (is_sqlite() ? 20 : 4); ++round) {
    if (is_sqlite())
      for (const auto* ending : {"", "-wal", "-shm", "-gate"}) std::filesystem::remove(other_file().string() + ending);
    else
      run_as_admin("drop database if exists " + other_name());
    make_empty();
    schema::migrate_up(Database::open(other_url()), schema::MigrationSet::embedded());
    auto restored = restored_so_far();
    bool written = false;
    std::thread writer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(round));
      try {
        auto other = Database::open(other_url(), {.create = false});
        make_user(other, "late");
        written = true;
      } catch (const Error&) {  // nobody was told that it is there
      }
    });
    const bool placed = !code([&] { restored->put_in_place({}); });
    writer.join();
    restored.reset();
    const auto users = users_there();
    EXPECT_EQ(std::ranges::count(users, "late"), written) << "round " << round << (placed ? ", placed" : ", refused");
    EXPECT_EQ(std::ranges::count(users, "ada"), placed) << "round " << round;
  }
}

}  // namespace
}  // namespace quarry::test
