/// Statements that travel together: failures in the middle, large answers, streams beside other statements.

#include <boost/describe.hpp>

#include "conformance/sql_postgres/postgres_test.hpp"

namespace quarry::test {
namespace {

struct Row {
  std::int64_t a = 0;
  std::string b;
};
BOOST_DESCRIBE_STRUCT(Row, (), (a, b))

constexpr sql::Command<void(Row)> insert{"test.insert", "insert into t (a, b) values ($1, $2)"};
constexpr sql::Query<std::int64_t()> count{"test.count", "select count(*) from t"};

class PostgresPipeline : public PostgresTest {
 protected:
  void SetUp() override {
    make("create table t (a int primary key, b text)", with([](auto& o) { o.connections_max = 1; }));
  }
  static std::vector<Row> rows(std::int64_t first, std::int64_t behind, std::size_t width = 10) {
    std::vector<Row> made;
    for (auto i = first; i < behind; ++i) made.push_back({i, std::string(width, 'x')});
    return made;
  }
  std::int64_t rows_now() {
    return db().read([](Read& tx) { return tx.value(count); });
  }
};

TEST_F(PostgresPipeline, ManySegmentsOfOneStatement) {
  EXPECT_EQ(db().write([&](Write& tx) { return tx.run_each(insert, rows(0, 5000)); }), 5000);
  EXPECT_EQ(rows_now(), 5000);
}

TEST_F(PostgresPipeline, AFailureInTheMiddleUndoesAllAndLeavesTheConnectionUsable) {
  std::int64_t backend = 0;
  db().read([&](Read& tx) { backend = pid(tx); });
  for (const std::int64_t bad : {0, 255, 256, 1700}) {
    auto all = rows(1, 2000);
    all[static_cast<std::size_t>(bad)].a = 1;
    all[0].a = 1;
    if (bad == 0) all[1].a = 1;
    const auto error = error_of([&] { db().write([&](Write& tx) { tx.run_each(insert, all); }); });
    EXPECT_EQ(error.code(), ErrorCode::constraint);
    EXPECT_EQ(error.query_name(), "test.insert");
  }
  EXPECT_EQ(rows_now(), 0);
  db().read([&](Read& tx) { EXPECT_EQ(pid(tx), backend); });
}

TEST_F(PostgresPipeline, AFailureInsideAnAttemptLeavesTheRest) {
  db().write([&](Write& tx) {
    tx.run_each(insert, rows(0, 10));
    EXPECT_EQ(error_of([&] { tx.attempt([&] { tx.run_each(insert, rows(5, 1000)); }); }).code(), ErrorCode::constraint);
    tx.run_each(insert, rows(10, 20));
  });
  EXPECT_EQ(rows_now(), 20);
}

/// Neither side may wait for the other: 64 MB go out while 64 MB of answers come back.
TEST_F(PostgresPipeline, LargeStatementsWithLargeAnswersDoNotDeadlock) {
  static constexpr sql::Command<std::string(Row)> echo{"test.echo", "insert into t (a, b) values ($1, $2) returning b"};
  EXPECT_EQ(db().write([&](Write& tx) { return tx.run_each(echo, rows(0, 64, 1'000'000)); }), 64);
}

TEST_F(PostgresPipeline, SeveralQueriesOfOneCallerGoTogether) {
  db().write([&](Write& tx) { tx.run_each(insert, rows(0, 3)); });
  static constexpr sql::Query<Row(std::int64_t)> find{"test.find", "select a, b from t where a = $1"};
  db().read([&](Read& tx) {
    const auto [one, none, all] = tx.together(sql::one(find, 1), sql::one(find, 99), sql::all(count));
    ASSERT_TRUE(one);
    EXPECT_EQ(one->a, 1);
    EXPECT_FALSE(none);
    EXPECT_EQ(all, std::vector<std::int64_t>{3});
  });
}

TEST_F(PostgresPipeline, AFailureAmongSeveralQueriesNamesItsQuery) {
  static constexpr sql::Query<std::int64_t(std::int64_t)> divide{"test.divide", "select 1 / $1"};
  const auto error =
      error_of([&] { db().read([](Read& tx) { tx.together(sql::one(count), sql::one(divide, 0), sql::one(count)); }); });
  EXPECT_EQ(error.query_name(), "test.divide");
  EXPECT_EQ(rows_now(), 0);
}

TEST_F(PostgresPipeline, AStreamLeavesRoomForOtherStatements) {
  db().write([&](Write& tx) { tx.run_each(insert, rows(0, 2500)); });
  static constexpr sql::Query<Row()> all{"test.all", "select a, b from t order by a"};
  static constexpr sql::Query<std::int64_t(std::int64_t)> twice{"test.twice", "select 2 * $1"};
  db().read([&](Read& tx) {
    std::int64_t expected = 0;
    auto stream = tx.stream(all);
    for (const Row& row : stream) {
      ASSERT_EQ(row.a, expected++);
      if (row.a % 500 == 0) {
        ASSERT_EQ(tx.value(twice, row.a), row.a * 2);
      }
    }
    EXPECT_EQ(expected, 2500);
  });
  db().read([&](Read& tx) {  // one that is left early
    auto stream = tx.stream(all);
    EXPECT_EQ((*stream.begin()).a, 0);
  });
  EXPECT_EQ(rows_now(), 2500);
}

TEST_F(PostgresPipeline, AStreamTakesParametersAndSeesWhatTheTransactionWrote) {
  db().write([&](Write& tx) {
    tx.run_each(insert, rows(0, 1000));
    static constexpr sql::Query<Row(std::int64_t, std::string_view)> above{"test.above",
                                                                           "select a, b from t where a >= $1 and b <> $2"};
    std::int64_t seen = 0;
    {
      auto stream = tx.stream(above, 10, "none");
      for ([[maybe_unused]] const Row& row : stream) ++seen;
    }
    EXPECT_EQ(seen, 990) << "exactly one chunk less ten rows, and then nothing";
    tx.run_each(insert, rows(1000, 1001));
  });
  EXPECT_EQ(rows_now(), 1001);
}

}  // namespace
}  // namespace quarry::test
