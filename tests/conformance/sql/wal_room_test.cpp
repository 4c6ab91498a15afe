/// The room in SQLite's log that is written before it is needed: most commits find the file as long as they need it, and
/// what stands behind the last commit is never taken for one.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>

#include "quarry/sql/backend.hpp"
#include "quarry/sql/database.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

namespace fs = std::filesystem;

constexpr sql::Command<void(std::int64_t)> insert_row{"test.insert",
                                                      "insert into t (n, text) values ($1, hex(zeroblob(500)))"};
constexpr sql::Query<std::int64_t()> count_rows{"test.count", "select count(*) from t"};
constexpr std::uintmax_t frame_bytes = 4096 + 24;

/// A reader that stays where it is, so that the log cannot start over.
class Snapshot {
 public:
  explicit Snapshot(const fs::path& file) {
    sqlite3_open(file.c_str(), &db_);
    EXPECT_EQ(sqlite3_exec(db_, "begin; select count(*) from t", nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_);
  }
  ~Snapshot() { sqlite3_close(db_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  sqlite3* db_ = nullptr;
};

class WalRoom : public ::testing::Test {
 protected:
  WalRoom() : folder_("room"), file_(folder_.path() / "room.db"), log_(file_.string() + "-wal") {}

  Database open(Synchronous synchronous = Synchronous::full) {
    auto db = Database::open("sqlite:" + file_.string(), {.synchronous = synchronous});
    db.backend().run_outside_transaction("test.create", "create table if not exists t (n integer primary key, text text)");
    return db;
  }
  /// How many of the commits found the log too short.
  int write(Database& db, int commits) {
    int grown = 0;
    for (auto length = fs::file_size(log_); commits > 0; --commits) {
      db.write([&](Write& tx) { tx.run(insert_row, ++written_); });
      if (const auto now = fs::file_size(log_); now != length) {
        ++grown;
        length = now;
      }
    }
    return grown;
  }
  static std::int64_t rows(const Database& db) {
    return db.read([](Read& tx) { return tx.value(count_rows); });
  }

  TempDir folder_;
  fs::path file_, log_;
  std::int64_t written_ = 0;
};

TEST_F(WalRoom, CommitsSeldomLengthenALogThatCannotStartOver) {
  auto db = open();
  const Snapshot snapshot(file_);
  EXPECT_LT(write(db, 1500), 30);
  EXPECT_GT(fs::file_size(log_), 1500 * frame_bytes) << "they did not fit into it";
}

TEST_F(WalRoom, WhatIsNotSyncedNeedsNone) {
  auto db = open(Synchronous::normal);
  const Snapshot snapshot(file_);
  EXPECT_GT(write(db, 200), 150);
}

TEST_F(WalRoom, WhatStandsBehindTheLastCommitIsNoCommit) {
  auto db = open();
  const auto copy = folder_.path() / "copy.db";
  for (const int more : {1, 10, 100, 500}) {
    write(db, more);
    // As after a loss of power: the index of the log is gone, and the log itself says how far it goes.
    fs::copy_file(file_, copy, fs::copy_options::overwrite_existing);
    fs::copy_file(log_, copy.string() + "-wal", fs::copy_options::overwrite_existing);
    auto copied = Database::open("sqlite:" + copy.string(), {.create = false});
    EXPECT_EQ(rows(copied), written_);
    copied.write([&](Write& tx) { tx.run(insert_row, written_ + 1); });
    EXPECT_EQ(rows(copied), written_ + 1);
    EXPECT_EQ(copied.read([](Read& tx) {
      return tx.value(
          sql::Query<std::string()>{"test.check", "select group_concat(integrity_check) from pragma_integrity_check"});
    }),
              "ok");
  }
}

TEST_F(WalRoom, ALogThatSomebodyCutGetsItsRoomAnew) {
  auto db = open();
  write(db, 300);
  db.backend().run_outside_transaction("test.cut", "pragma wal_checkpoint(truncate)");
  ASSERT_EQ(fs::file_size(log_), 0U);
  const Snapshot snapshot(file_);
  EXPECT_LT(write(db, 300), 20);
  EXPECT_EQ(rows(db), 600);
}

// Another process may have cut it since this one's last commit: what was used then is no measure of what to write now.
TEST_F(WalRoom, ALogThatAnotherProcessCutIsNotFilledAgain) {
  auto db = open();
  db.write([&](Write& tx) {
    for (int i = 0; i < 3000; ++i) tx.run(insert_row, ++written_);
  });
  ASSERT_GT(fs::file_size(log_), 3'000'000U);
  sqlite3* other = nullptr;
  sqlite3_open(file_.c_str(), &other);
  EXPECT_EQ(sqlite3_exec(other, "pragma wal_checkpoint(truncate)", nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_EQ(fs::file_size(log_), 0U);
  sqlite3_close(other);
  write(db, 3);
  EXPECT_LT(fs::file_size(log_), 1'000'000U);
  EXPECT_EQ(rows(db), 3003);
}

}  // namespace
}  // namespace quarry::test
