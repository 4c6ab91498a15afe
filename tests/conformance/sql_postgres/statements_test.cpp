/// Prepared statements: the cache, what makes them out of date, and life without them.

#include <thread>

#include "conformance/sql_postgres/postgres_test.hpp"

namespace quarry::test {
namespace {

constexpr sql::Query<std::int64_t()> prepared_count{"test.prepared", "select count(*) from pg_prepared_statements"};

class PostgresStatements : public PostgresTest {};

TEST_F(PostgresStatements, TheCacheStaysWithinItsLimit) {
  make("", with([](auto& o) {
         o.statement_cache_max = 16;
         o.connections_max = 1;
       }));
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 60; ++i)
      EXPECT_EQ(db().read([&](Read& tx) {
        return tx.value(sql::Query<std::int64_t()>("test.n", "select " + std::to_string(i) + "::int8"));
      }),
                i);
  EXPECT_LE(db().read([](Read& tx) { return tx.value(prepared_count); }), 17);
}

TEST_F(PostgresStatements, AStatementIsPreparedOnceAndThenExecuted) {
  make("", with([](auto& o) { o.connections_max = 1; }));
  const auto count = [&] { return db().read([](Read& tx) { return tx.value(prepared_count); }); };
  count();
  const auto after_one = count();
  for (int i = 0; i < 10; ++i) count();
  EXPECT_EQ(count(), after_one);
}

TEST_F(PostgresStatements, AResultThatChangedItsTypeIsPreparedAgain) {
  make("create table t (a int)", with([](auto& o) { o.connections_max = 1; }));
  ask("insert into t values (1)");
  static constexpr sql::Query<std::int64_t()> star{"test.star", "select * from t"};
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(star); }), 1);
  ask("alter table t alter a type bigint");
  int runs = 0;
  EXPECT_EQ(db().read([&](Read& tx) {
    ++runs;
    return tx.value(star);
  }),
            1);
  EXPECT_EQ(runs, 2) << "the closure ran again with a new statement";
}

TEST_F(PostgresStatements, AServerThatForgotIsReminded) {
  make("", with([](auto& o) { o.connections_max = 1; }));
  EXPECT_GE(db().read([](Read& tx) { return tx.value(prepared_count); }), 0);
  db().write([](Write& tx) { tx.session().run_script("test", "deallocate all"); });
  EXPECT_GE(db().read([](Read& tx) { return tx.value(prepared_count); }), 0);
  EXPECT_GE(db().read([](Read& tx) { return tx.value(prepared_count); }), 0);
}

TEST_F(PostgresStatements, WorksWithoutPreparingAndKeepsItsLimits) {
  make("create table t (a int primary key, b text)", with([](auto& o) {
         o.server_prepare = false;
         o.connections_max = 1;
         o.statement_timeout = std::chrono::milliseconds(4321);
       }));
  static constexpr sql::Command<void(std::int64_t, std::string_view)> insert{"test.insert", "insert into t values ($1, $2)"};
  db().write([&](Write& tx) {
    for (int i = 0; i < 20; ++i) tx.run(insert, i, "x");
    tx.attempt([&] { tx.run(insert, 20, "y"); });
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(prepared_count); }), 0);
  static constexpr sql::Query<std::string()> timeout{"test.timeout", "select current_setting('statement_timeout')"};
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(timeout); }), "4321ms");
  EXPECT_EQ(ask("select count(*)::text from t"), std::vector<std::string>{"21"});
}

TEST_F(PostgresStatements, AnErrorInTheFirstStatementLeavesTheConnectionUsable) {
  make("", with([](auto& o) { o.connections_max = 1; }));
  std::int64_t first = 0;
  db().read([&](Read& tx) { first = pid(tx); });
  for (int i = 0; i < 3; ++i) {
    const auto error = error_of([&] {
      db().read([](Read& tx) { tx.value(sql::Query<std::int64_t()>("test.bad", std::string("select no_such"))); });
    });
    EXPECT_EQ(error.code(), ErrorCode::bug);
    EXPECT_EQ(error.query_name(), "test.bad");
    EXPECT_EQ(error.sqlstate(), "42703");
  }
  db().read([&](Read& tx) { EXPECT_EQ(pid(tx), first); });
}

TEST_F(PostgresStatements, AFailureThatIsSwallowedCommitsNothing) {
  make("create table t (a int primary key)");
  static constexpr sql::Command<void(std::int64_t)> insert{"test.insert", "insert into t values ($1)"};
  const auto error = error_of([&] {
    db().write([](Write& tx) {
      tx.run(insert, 1);
      try {
        tx.run(insert, 1);
      } catch (const Error&) {
      }
    });
  });
  EXPECT_EQ(error.code(), ErrorCode::constraint);
  EXPECT_EQ(ask("select count(*)::text from t"), std::vector<std::string>{"0"});
}

TEST_F(PostgresStatements, AParameterThatCannotBeSentLeavesTheTransactionUsable) {
  make("create table t (a text)");
  static constexpr sql::Command<void(std::string_view)> insert{"test.insert", "insert into t values ($1)"};
  db().write([](Write& tx) {
    EXPECT_EQ(error_of([&] { tx.run(insert, std::string_view("a\0b", 3)); }).code(), ErrorCode::invalid);
    tx.run(insert, "fine");
  });
  EXPECT_EQ(ask("select a from t"), std::vector<std::string>{"fine"});
}

TEST_F(PostgresStatements, AScriptMayNotEndTheTransaction) {
  make("create table t (a int)");
  EXPECT_EQ(error_of([&] {
              db().write([](Write& tx) { tx.session().run_script("test", "insert into t values (1); commit"); });
            }).code(),
            ErrorCode::bug);
  db().write([](Write& tx) { tx.session().run_script("test", "insert into t values (2); insert into t values (3)"); });
}

TEST_F(PostgresStatements, AReadIsOverWhenItReturns) {
  make("", with([](auto& o) { o.connections_max = 1; }));
  std::int64_t backend = 0;
  db().read([&](Read& tx) { backend = pid(tx); });
  // The COMMIT was sent but not waited for; the server gets to it on its own.
  const auto query = "select state from pg_stat_activity where pid = " + std::to_string(backend);
  for (int i = 0; i < 200 && ask(query) != std::vector<std::string>{"idle"}; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(ask(query), std::vector<std::string>{"idle"});
}

TEST_F(PostgresStatements, RunsOutsideATransaction) {
  make("create table t (a int)");
  db().backend().run_outside_transaction("test.vacuum", "vacuum t");
  db().backend().run_outside_transaction("test.index", "create index concurrently t_a on t (a)");
  EXPECT_EQ(error_of([&] { db().backend().run_outside_transaction("test.bad", "vacuum nothing"); }).query_name(),
            "test.bad");
}

TEST_F(PostgresStatements, ADedicatedSessionHoldsWhatIsSetOnIt) {
  make("create table t (a int)");
  const auto dedicated = db().backend().dedicated();
  auto& session = dedicated->session();
  session.run_script("test", "set application_name = 'mine'");
  session.run_script("test", "begin");
  session.run_script("test", "insert into t values (1)");
  EXPECT_EQ(error_of([&] { session.run_script("test", "select no_such"); }).code(), ErrorCode::bug);
  session.run_script("test", "rollback");
  session.run_script("test", "insert into t values (2)");
  Read tx(session);
  EXPECT_EQ(tx.value(sql::Query<std::int64_t()>("test.a", std::string("select a from t"))), 2);
  EXPECT_EQ(tx.value(sql::Query<std::string()>("test.name", std::string("select current_setting('application_name')"))),
            "mine");
}

}  // namespace
}  // namespace quarry::test
