/// What runs again, what does not, and what nobody can know.

#include <future>
#include <thread>

#include "conformance/sql_postgres/postgres_test.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

constexpr sql::Command<void(std::int64_t)> insert_one{"test.insert_one", "insert into t values ($1)"};
constexpr sql::Query<std::int64_t()> sum{"test.sum", "select coalesce(sum(a), 0)::int8 from t"};
constexpr sql::Query<std::string()> sleep_long{"test.sleep", "select pg_sleep(60)::text"};

class PostgresRetry : public PostgresTest {
 protected:
  void SetUp() override { make("create table t (a int)"); }
};

TEST_F(PostgresRetry, ASerializationFailureRunsTheClosureAgain) {
  WriteOptions serializable;
  serializable.isolation = Isolation::serializable;
  std::promise<void> first_read, second_done;
  std::atomic<int> runs{0};
  std::thread first([&] {
    db().write(serializable, [&](Write& tx) {
      const auto seen = tx.value(sum);
      if (++runs == 1) {
        first_read.set_value();
        second_done.get_future().wait();
      }
      tx.run(insert_one, seen + 1);
    });
  });
  first_read.get_future().wait();
  db().write(serializable, [&](Write& tx) { tx.run(insert_one, tx.value(sum) + 10); });
  second_done.set_value();
  first.join();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(ask("select string_agg(a::text, ',' order by a) from t"), std::vector<std::string>{"10,11"});
  EXPECT_EQ(db().stats().retries, 1U);
}

TEST_F(PostgresRetry, AttemptsHaveAnEnd) {
  int runs = 0;
  auto few = database().open(with([](auto& o) { o.attempts_max = 3; }));
  const auto error = error_of([&] {
    few.write([&](Write& tx) {
      ++runs;
      tx.session().run_script("test.fail", "do $$ begin raise exception 'lost' using errcode = '40001'; end $$");
    });
  });
  EXPECT_EQ(error.code(), ErrorCode::conflict);
  EXPECT_EQ(runs, 3);
}

TEST_F(PostgresRetry, AConstraintIsNotRetried) {
  ask("alter table t add unique (a)");
  int runs = 0;
  EXPECT_EQ(error_of([&] {
              db().write([&](Write& tx) {
                ++runs;
                tx.run(insert_one, 1);
                tx.run(insert_one, 1);
              });
            }).code(),
            ErrorCode::constraint);
  EXPECT_EQ(runs, 1);
}

TEST_F(PostgresRetry, AConnectionThatIsKilledInATransactionIsReplacedAndTheClosureRunsAgain) {
  int runs = 0;
  db().write([&](Write& tx) {
    tx.run(insert_one, 1);
    if (++runs == 1) terminate(pid(tx));
    tx.run(insert_one, 2);
  });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(ask("select sum(a)::text from t"), std::vector<std::string>{"3"});
}

TEST_F(PostgresRetry, AConnectionThatIsKilledBeforeTheCommitIsSentIsNoMystery) {
  int runs = 0;
  db().write([&](Write& tx) {
    tx.run(insert_one, 1);
    if (++runs == 1) terminate(pid(tx));
  });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(ask("select sum(a)::text from t"), std::vector<std::string>{"1"});
}

TEST_F(PostgresRetry, AConnectionThatDiesDuringCommitLeavesTheOutcomeUnknown) {
  ask("create function die() returns trigger language plpgsql as "
      "$$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return null; end $$");
  ask("create constraint trigger die after insert on t deferrable initially deferred for each row execute function die()");
  int runs = 0;
  const auto error = error_of([&] {
    db().write([&](Write& tx) {
      ++runs;
      tx.run(insert_one, 1);
      tx.after_commit([] { ADD_FAILURE() << "nobody knows whether it was committed"; });
    });
  });
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_TRUE(error.outcome_unknown());
  EXPECT_FALSE(error.retryable());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(sum); }), 0) << "and the next transaction works";
}

TEST_F(PostgresRetry, AFailureThatCommitFindsIsNoMysteryEither) {
  ask("create table parent (id int primary key)");
  ask("alter table t add foreign key (a) references parent deferrable initially deferred");
  const auto error = error_of([&] { db().write([&](Write& tx) { tx.run(insert_one, 1); }); });
  EXPECT_EQ(error.code(), ErrorCode::constraint);
  EXPECT_FALSE(error.outcome_unknown());
}

TEST_F(PostgresRetry, IdleConnectionsThatWereKilledAreNotHandedOut) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      db().write([](Write& tx) { tx.value(sql::Query<std::string()>("s", std::string("select pg_sleep(0.1)::text"))); });
    });
  for (auto& thread : threads) thread.join();
  ask("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> "
      "pg_backend_pid()");
  int runs = 0;
  db().write([&](Write& tx) {
    ++runs;
    tx.run(insert_one, 1);
  });
  EXPECT_EQ(runs, 1);
}

TEST_F(PostgresRetry, AStatementPastItsTimeIsCancelledByTheServer) {
  auto impatient = database().open(with([](auto& o) {
    o.statement_timeout = 100ms;
    o.connections_max = 1;
  }));
  std::int64_t backend = 0;
  impatient.read([&](Read& tx) { backend = pid(tx); });
  const auto error = error_of([&] { impatient.read([](Read& tx) { tx.value(sleep_long); }); });
  EXPECT_EQ(error.code(), ErrorCode::timeout);
  EXPECT_EQ(error.sqlstate(), "57014");
  EXPECT_EQ(error.query_name(), "test.sleep");
  impatient.read([&](Read& tx) { EXPECT_EQ(pid(tx), backend) << "the connection is as good as before"; });
}

TEST_F(PostgresRetry, ADeadlineOfTheClosureCancelsFromOutside) {
  auto one = database().open(with([](auto& o) { o.connections_max = 1; }));
  std::int64_t backend = 0;
  one.read([&](Read& tx) { backend = pid(tx); });
  WriteOptions soon;
  soon.deadline = 800ms;
  const auto error = error_of([&] { one.write(soon, [](Write& tx) { tx.value(sleep_long); }); });
  EXPECT_EQ(error.code(), ErrorCode::timeout);
  one.read([&](Read& tx) { EXPECT_EQ(pid(tx), backend); });
}

TEST_F(PostgresRetry, ALockThatIsNotGivenIsBusy) {
  AdminConnection other(database().url());
  other.run("begin");
  other.run("lock table t in access exclusive mode");
  auto impatient = database().open(with([](auto& o) { o.busy_timeout = 100ms; }));
  EXPECT_EQ(error_of([&] { impatient.write([](Write& tx) { tx.run(insert_one, 1); }); }).code(), ErrorCode::busy);
  other.run("rollback");
  impatient.write([](Write& tx) { tx.run(insert_one, 1); });
}

TEST_F(PostgresRetry, AClosureWithoutStatementsIsNoTroubleToAServerThatIsAway) {
  auto one = database().open(with([](auto& o) { o.connections_max = 1; }));
  std::int64_t backend = 0;
  one.read([&](Read& tx) { backend = pid(tx); });
  bool acted = false;
  one.write([&](Write& tx) {
    terminate(backend);
    tx.after_commit([&] { acted = true; });
  });
  EXPECT_TRUE(acted) << "nothing was sent, so nothing could fail";
}

TEST_F(PostgresRetry, AnActionAfterTheCommitMayUseTheDatabase) {
  db().write([&](Write& tx) {
    tx.run(insert_one, 1);
    tx.after_commit([&] { db().write([](Write& next) { next.run(insert_one, 2); }); });
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(sum); }), 3);
}

}  // namespace
}  // namespace quarry::test
