/// Retention on real backups.

#include "quarry/backup/retention.hpp"

#include "conformance/backup/backup_test.hpp"

namespace quarry::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BackupRetention : public BackupTest {
 protected:
  backup::Summary make_later(std::chrono::hours later, bool verify = true) {
    clock().advance(later);
    return make({.verify = verify, .clock = std::shared_ptr<const Clock>(&clock(), [](const Clock*) {})});
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& backup : backup::Repository::open(dir()).list()) all.push_back(backup.name);
    return all;
  }
};
QUARRY_BOTH_ENGINES(BackupRetention);

TEST_P(BackupRetention, RemovesBackupsAndTheBodiesThatNoneNeedsAnyMore) {
  put({"goes", "stays"});
  const auto first = make_later(std::chrono::hours(1));
  db().write([](Write& tx) { tx.run(sql::Command<void()>("test.delete", "delete from artifacts where title = 'goes'")); });
  const auto second = make_later(std::chrono::hours(24));
  const auto only_told = backup::prune(dir(), {.days = 1}, true);
  EXPECT_THAT(only_told.removed, ElementsAre(first.name));
  EXPECT_EQ(only_told.bodies_removed, 1);
  EXPECT_THAT(names(), ElementsAre(first.name, second.name));
  const auto pruned = backup::prune(dir(), {.days = 1});
  EXPECT_EQ(pruned.bodies_removed, 1);
  EXPECT_THAT(names(), ElementsAre(second.name));
  EXPECT_EQ(restore().bodies, 1);
  EXPECT_EQ(artifacts_in(Database::open(other_url(), {.create = false})), 1);
}

TEST_P(BackupRetention, AnUnverifiedBackupCoversNothing) {
  put({"one"});
  make_later(std::chrono::hours(1));
  make_later(std::chrono::hours(24), false);
  EXPECT_THAT(backup::prune(dir(), {.days = 1}).removed, IsEmpty());
}

TEST_P(BackupRetention, OneWithoutBodiesCoversNoneThatHasThem) {
  put({"one"});
  const auto full = make_later(std::chrono::hours(1));
  clock().advance(std::chrono::hours(24));
  const auto without = backup::create(database().url(), dir(), keys(),
                                      {.clock = std::shared_ptr<const Clock>(&clock(), [](const Clock*) {})});
  EXPECT_EQ(without.bodies_left_out, 1);
  EXPECT_THAT(backup::prune(dir(), {.days = 1}).removed, IsEmpty());
  put({"two"});
  std::filesystem::remove_all(blobs());
  std::filesystem::create_directory(blobs());
  const auto lossy = make_later(std::chrono::hours(24));
  EXPECT_EQ(lossy.bodies_missing, 1);
  const auto pruned = backup::prune(dir(), {.days = 1});
  EXPECT_THAT(pruned.removed, ElementsAre(without.name)) << "it has no bodies to lose";
  EXPECT_EQ(pruned.bodies_removed, 0);
  EXPECT_EQ(restore({.name = full.name}).bodies, 1);
  EXPECT_EQ(restore({.name = full.name, .replace = true}).bodies_missing, 0);
  EXPECT_EQ(restore({.name = lossy.name, .replace = true}).bodies_missing, 1);
}

TEST_P(BackupRetention, WhatWasLostWithASummaryComesBackWithIt) {
  put({"one"});
  const auto without = backup::create(database().url(), dir(), keys(), {});
  std::filesystem::remove(dir() / without.name / "backup.json");
  EXPECT_EQ(verify(without.name).bodies_left_out, 1);
}

TEST_P(BackupRetention, NeitherDoesOneWhoseBodiesAreGone) {
  put({"one"});
  make_later(std::chrono::hours(1));
  put({"two"});
  make_later(std::chrono::hours(24));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir() / "bodies"))
    if (entry.is_regular_file()) {
      std::filesystem::remove(entry.path());
      break;
    }
  EXPECT_THAT(backup::prune(dir(), {.days = 1}).removed, IsEmpty());
}

TEST_P(BackupRetention, SaysWhatTheFileSystemRefuses) {
  put({"one"});
  make_later(std::chrono::hours(1));
  std::filesystem::remove_all(dir() / "bodies");
  write_file(dir() / "bodies", "a file in the place of a folder");
  EXPECT_EQ(code([&] { backup::prune(dir(), {.days = 1}); }), ErrorCode::unavailable);
  EXPECT_EQ(code([&] { make(); }), ErrorCode::unavailable);
}

TEST_P(BackupRetention, NeitherDoesOneWhosePartsAreGone) {
  put({"one"});
  make_later(std::chrono::hours(1));
  const auto second = make_later(std::chrono::hours(24));
  std::filesystem::remove(dir() / second.name / "database.sealed");
  EXPECT_THAT(backup::prune(dir(), {.days = 1}).removed, IsEmpty());
}

}  // namespace
}  // namespace quarry::test
