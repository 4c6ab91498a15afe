/// A file whose writer was killed before it was switched to WAL: whoever comes next rolls it back, also who only wants to
/// read.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "quarry/sql/database.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

namespace fs = std::filesystem;

TEST(HotJournal, IsRolledBackByAReader) {
  const TempDir folder("journal");
  const auto living = folder.path() / "living.db";
  const auto killed = folder.path() / "killed.db";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(living.c_str(), &db), SQLITE_OK);
  const auto run = [&](const char* sql) {
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  };
  run("pragma journal_mode = delete; pragma cache_size = 5; create table t (a blob); insert into t values "
      "(zeroblob(50000))");
  // More than the cache holds: the file is changed before the commit, and the journal says how it was.
  run("begin; update t set a = randomblob(50000); insert into t select randomblob(50000) from t; insert into t select "
      "randomblob(50000) from t");
  fs::copy_file(living, killed);
  fs::copy_file(living.string() + "-journal", killed.string() + "-journal");
  run("rollback");
  sqlite3_close(db);
  ASSERT_GT(fs::file_size(killed.string() + "-journal"), 512U);

  const auto read = Database::open("sqlite:" + killed.string(), {.create = false, .read_only = true});
  constexpr sql::Query<std::int64_t()> count{"test.count", "select count(*) from t"};
  EXPECT_EQ(read.read([&](Read& tx) { return tx.value(count); }), 1);
  EXPECT_THROW(read.write([](Write&) {}), Error);
  EXPECT_FALSE(fs::exists(killed.string() + "-shm")) << "a database without a WAL needs no index of one";
}

}  // namespace
}  // namespace quarry::test
