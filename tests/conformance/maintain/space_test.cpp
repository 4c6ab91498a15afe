#include <filesystem>

#include "conformance/maintain/maintain_test.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

class MaintainSpace : public MaintainTest {
 protected:
  void fill(int entries) {
    const std::string value(100'000, 'x');
    for (int i = 0; i < entries; ++i)
      db().write([&](Write& tx) { cache::set(tx, "entry " + std::to_string(i), value, {}); });
  }
  std::int64_t file_bytes(const std::string& suffix = "") {
    const auto path = database().url().substr(std::string("sqlite:").size()) + suffix;
    return std::filesystem::exists(path) ? static_cast<std::int64_t>(std::filesystem::file_size(path)) : 0;
  }
};
QUARRY_BOTH_ENGINES(MaintainSpace);

// CI-3
TEST_P(MaintainSpace, AFileShrinksWhenMuchOfItIsFree) {
  if (!is_sqlite()) GTEST_SKIP() << "PostgreSQL's files are autovacuum's";
  fill(100);
  EXPECT_EQ(step("vacuum").outcome, StepOutcome::nothing) << "nothing is free yet";
  run_sql("delete from cache");
  step("checkpoint");
  const auto before = file_bytes();
  const auto foretold = figures(dry("vacuum"))["bytes given back"];
  EXPECT_GT(foretold, 8'000'000);
  EXPECT_EQ(figures(step("vacuum"))["bytes given back"], foretold);
  step("checkpoint");
  EXPECT_LE(file_bytes(), before - foretold);
  EXPECT_EQ(step("vacuum").outcome, StepOutcome::nothing);
}

TEST_P(MaintainSpace, SomeFreeSpaceStaysForTheNextRows) {
  if (!is_sqlite()) GTEST_SKIP() << "PostgreSQL's files are autovacuum's";
  fill(100);
  run_sql("delete from cache where key > 'entry 9'");
  EXPECT_EQ(step("vacuum").outcome, StepOutcome::nothing) << "a tenth of the file is free, which is little";
}

TEST_P(MaintainSpace, TheLogIsWrittenBackBesideReaders) {
  if (!is_sqlite()) {
    EXPECT_EQ(step("checkpoint").outcome, StepOutcome::skipped);
    return;
  }
  fill(20);
  ASSERT_GT(file_bytes("-wal"), 1'000'000);
  EXPECT_GT(figures(dry("checkpoint"))["bytes of the log"], 1'000'000);
  const auto begin = std::chrono::steady_clock::now();
  // A reader that stays keeps the log from being cut, and nobody waits for it.
  const auto second = database().open();
  second.read([&](Read& tx) {
    tx.value(sql::Query<std::int64_t()>("test.count", std::string("select count(*) from cache")));
    EXPECT_NE(step("checkpoint").outcome, StepOutcome::failed);
  });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s) << "the busy timeout of a writer is 30 s";
  db().write([](Write& tx) { cache::set(tx, "still", "writes", {}); });
  step("checkpoint");
  EXPECT_EQ(file_bytes("-wal"), 0);
  const auto timeout = db().write([](Write& tx) {
    return tx.value(sql::Query<std::int64_t()>("test.timeout", std::string("select timeout from pragma_busy_timeout")));
  });
  EXPECT_EQ(timeout, 0) << "SQLite's own wait, which knows no deadline, has taken the place of ours";
}

TEST_P(MaintainSpace, ThePlannerLearnsOfTables) {
  run_sql(is_sqlite() ? "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
                        " insert into hosts (host_key) select 'host ' || i from n"
                      : "insert into hosts (host_key) select 'host ' || i from generate_series(1, 20000) i");
  if (is_sqlite()) {
    // `pragma optimize` looks at tables that this connection has asked with the planner's help.
    db().write([](Write& tx) {
      tx.value(
          sql::Query<std::int64_t()>("test.look", std::string("select count(*) from hosts where due_at > 5 and id > 7")));
    });
    EXPECT_NE(step("statistics").outcome, StepOutcome::failed);
    return;
  }
  const auto told = [&] { return rows("pg_stats where tablename = 'hosts'"); };
  ASSERT_EQ(told(), 0);
  for (int i = 0; i < 100 && told() == 0; ++i) {
    // The server's own figures of a table come a moment later.
    step("statistics");
    if (told() == 0) std::this_thread::sleep_for(50ms);
  }
  EXPECT_GT(told(), 0);
}

}  // namespace
}  // namespace quarry::test
