/// Who writes to a SQLite file is alone, by whatever path it was opened; and waits for others as long as it was told, no
/// longer.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "conformance/sql/things.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class SqliteGate : public testing::Test {
 protected:
  fs::path file() const { return database_.url().substr(std::string_view("sqlite:").size()); }
  TestDatabase database_{Engine::sqlite, things_schema()};
};

TEST_F(SqliteGate, IsOneForEverySpelling) {
  const auto folder = database_.folder() / "elsewhere";
  fs::create_directory(folder);
  fs::create_symlink(file(), folder / "link.db");
  auto by_link = Database::open("sqlite:" + (folder / "link.db").native(), {.busy_timeout = 50ms});
  by_link.write([](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  EXPECT_TRUE(fs::exists(file().native() + "-gate"));
  EXPECT_FALSE(fs::exists(folder / "link.db-gate"));
  database_.db().write(
      [&](Write&) { EXPECT_THROW(by_link.write([](Write& tx) { tx.run(insert_thing, make_thing(2)); }), Error); });
}

TEST_F(SqliteGate, StaysWhereItIsWhenTheProcessGoesElsewhere) {
  const auto before = fs::current_path();
  fs::current_path(file().parent_path());
  auto db = Database::open("sqlite:" + file().filename().native());
  fs::current_path(database_.folder() / "..");
  db.write([](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  EXPECT_EQ(db.read([](Read& tx) { return tx.value(count_things); }), 1);
  fs::current_path(before);
}

TEST_F(SqliteGate, ADeadlineHoldsAlsoAfterAScriptHasSetATimeoutOfItsOwn) {
  database_.db().backend().run_outside_transaction("test.timeout", "pragma busy_timeout = 60000");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THROW(database_.db().write({.deadline = 100ms}, [](Write& tx) { tx.run(insert_thing, make_thing(1)); }), Error);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  sqlite3_close(other);
}

}  // namespace
}  // namespace quarry::test
