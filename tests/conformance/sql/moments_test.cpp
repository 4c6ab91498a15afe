/// Which moment of the database a read sees: one for all of its queries, and none that was over when it began. On SQLite a
/// reader keeps its moment between reads that come close together; here is who must not notice.

#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>

#include "conformance/sql/things.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

constexpr int commits = 400;

constexpr sql::Command<void(std::int64_t)> set_number{"test.set_number", "update numbers set n = $1 where id = 1"};
constexpr sql::Query<std::int64_t()> get_number{"test.get_number", "select n from numbers where id = 1"};
constexpr sql::Query<std::int64_t()> get_number_again{"test.get_number_again", "select max(n) from numbers"};
constexpr sql::Query<std::int64_t()> get_added{"test.get_added", "select added from numbers"};

ScratchSql numbers_schema() {
  return {.sqlite = "create table numbers (id integer primary key, n integer not null); insert into numbers values (1, 0)",
          .postgres = "create table numbers (id int primary key, n bigint not null); insert into numbers values (1, 0)"};
}

class Moments : public BothEngines {
 protected:
  void SetUp() override { db(); }
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), numbers_schema());
  }
  /// As another program would.
  Database other() { return Database::open(database().url(), {.synchronous = Synchronous::normal}); }

  /// Commits 1, 2, 3 ... through `writer` while three threads read; `read` is told the last commit that was over beforehand.
  void read_while_writing(const Database& writer, const std::function<void(std::int64_t over)>& read) {
    std::atomic<std::int64_t> over{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
      readers.emplace_back([&] {
        while (over < commits) read(over);
      });
    for (std::int64_t n = 1; n <= commits; ++n) {
      writer.write([&](Write& tx) { tx.run(set_number, n); });
      over = n;
    }
    for (auto& reader : readers) reader.join();
  }
};
QUARRY_BOTH_ENGINES(Moments);

TEST_P(Moments, AReadSeesEveryCommitThatWasOverWhenItBegan) {
  for (const auto& writer : {db(), other()})
    read_while_writing(
        writer, [&](std::int64_t over) { EXPECT_GE(db().read([](Read& tx) { return tx.value(get_number); }), over); });
}

TEST_P(Moments, AllQueriesOfAReadSeeTheSame) {
  for (const auto& writer : {db(), other()})
    read_while_writing(writer, [&](std::int64_t) {
      db().read([](Read& tx) {
        const auto first = tx.value(get_number);
        std::this_thread::yield();
        EXPECT_EQ(tx.value(get_number_again), first);
      });
    });
}

class SqliteMoments : public testing::Test {
 protected:
  SqliteMoments() {
    // SQLite's own way of waiting: longer than a moment is ever kept, by a thousand times.
    sqlite3_open(database_.url().substr(7).c_str(), &raw_);
    sqlite3_busy_timeout(raw_, 10'000);
  }
  ~SqliteMoments() override { sqlite3_close(raw_); }

  std::int64_t read() {
    return database_.db().read([](Read& tx) { return tx.value(get_number); });
  }
  void read_often() {
    for (int i = 0; i < 1000; ++i) read();
  }
  void write() {
    database_.db().write([](Write& tx) { tx.run(set_number, tx.now().us); });
  }
  struct Checkpoint {
    int busy = -1;  ///< 0: the log was written back and no reader needs it any more, so that the next commit starts it over
    int frames = -1;  ///< in the log
  };
  Checkpoint checkpoint(const char* pragma = "pragma wal_checkpoint(restart)") {
    Checkpoint done;
    sqlite3_exec(
        raw_, pragma,
        [](void* out, int, char** values, char**) {
          *static_cast<Checkpoint*>(out) = {std::atoi(values[0]), std::atoi(values[1])};
          return 0;
        },
        &done, nullptr);
    return done;
  }

  TestDatabase database_{Engine::sqlite, numbers_schema()};
  sqlite3* raw_ = nullptr;
};

TEST_F(SqliteMoments, EndWhenNobodyReadsAnyMore) {
  write();
  read_often();
  EXPECT_EQ(checkpoint().busy, 0);
}

TEST_F(SqliteMoments, EndUnderReadersThatNeverPause) {
  std::atomic<bool> stop{false};
  std::latch started{3};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      read_often();
      started.count_down();
      while (!stop) read();
    });
  started.wait();
  for (int i = 0; i < 20; ++i) {
    write();
    EXPECT_EQ(checkpoint().busy, 0);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
}

TEST_F(SqliteMoments, NeedNoLogOnceItIsWrittenBack) {
  write();
  read_often();
  checkpoint("pragma wal_checkpoint(passive)");
  read();
  sqlite3_busy_timeout(raw_, 0);
  EXPECT_EQ(checkpoint().busy, 0);
}

TEST_F(SqliteMoments, LetTheLogStartOver) {
  read_often();
  // 40 MiB in one go, which calls for a checkpoint; the log starts over with the next commit.
  database_.db().write([](Write& tx) {
    tx.session().run_script("test.fill", "create table filler (a blob)");
    constexpr sql::Command<void()> fill{"test.fill_row", "insert into filler values (zeroblob(1048576))"};
    for (int i = 0; i < 40; ++i) tx.run(fill);
  });
  write();
  EXPECT_LT(checkpoint("pragma wal_checkpoint(passive)").frames, 100);
}

TEST_F(SqliteMoments, OutliveNoSchema) {
  read_often();
  database_.db().write([](Write& tx) {
    tx.session().run_script("test.alter", "alter table numbers add column added integer not null default 7");
  });
  EXPECT_EQ(database_.db().read([](Read& tx) { return tx.value(get_added); }), 7);
}

}  // namespace
}  // namespace quarry::test
