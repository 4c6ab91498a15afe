#include "support/test_database.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/both_engines.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

constexpr sql::Command<void(std::int64_t)> insert{"support.insert", "insert into things(number) values ($1)"};
constexpr sql::Query<std::int64_t()> count{"support.count", "select count(*) from things"};

const ScratchSql kThings{.sqlite = "create table things(number integer) strict",
                         .postgres = "create table things(number bigint)"};

class Support : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override { return std::make_unique<TestDatabase>(GetParam(), kThings); }
  static std::int64_t rows(const Database& db) {
    return db.read([](Read& tx) { return tx.value(count); });
  }
};
QUARRY_BOTH_ENGINES(Support);

TEST_P(Support, EachDatabaseIsItsOwn) {
  TestDatabase other(GetParam(), kThings);
  db().write([](Write& tx) { tx.run(insert, 1); });
  EXPECT_EQ(rows(db()), 1);
  EXPECT_EQ(rows(other.db()), 0);
}

TEST_P(Support, SeveralHandlesSeeOneDatabase) {
  const Database second = database().open();
  second.write([](Write& tx) { tx.run(insert, 1); });
  EXPECT_EQ(rows(db()), 1);
  database().reopen();
  EXPECT_EQ(rows(db()), 1);
}

TEST_P(Support, TimeStandsStillUntilItIsMoved) {
  const auto now = [&] { return db().read([](Read& tx) { return tx.now(); }); };
  EXPECT_EQ(now(), TestDatabase::kStart);
  clock().advance(std::chrono::hours{1});
  EXPECT_EQ(now() - TestDatabase::kStart, std::chrono::hours{1});
}

TEST_P(Support, ATemplateIsFilledOnceAndCopied) {
  int filled = 0;
  // A key of its own, because a server may outlive this run.
  const DatabaseTemplate made{"support_" + std::to_string(getpid()) + (is_sqlite() ? "s" : "p"), [&](Database& db) {
                                ++filled;
                                db.write([](Write& tx) {
                                  tx.session().run_script("support.things", "create table things(number bigint)");
                                  tx.run(insert, 7);
                                });
                              }};
  // STRICT tables of SQLite know no bigint; this one is not strict.
  TestDatabase first(GetParam(), made);
  TestDatabase second(GetParam(), made);
  first.db().write([](Write& tx) { tx.run(insert, 8); });
  EXPECT_EQ(rows(first.db()), 2);
  EXPECT_EQ(rows(second.db()), 1);
  EXPECT_EQ(filled, 1);
}

TEST(SupportPostgres, DropsItsDatabase) {
  std::string url;
  {
    const TestDatabase database(Engine::postgres, Schema::none);
    url = database.url();
    EXPECT_EQ(run_on_postgres(url, "select 1"), std::vector<std::string>{"1"});
  }
  EXPECT_THROW(run_on_postgres(url, "select 1"), std::runtime_error);
}

}  // namespace
}  // namespace quarry::test
