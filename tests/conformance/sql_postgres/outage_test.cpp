/// A server that stops, crashes and comes back; a pool that is full; a process that forks.

#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "conformance/sql_postgres/postgres_test.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

constexpr sql::Query<std::int64_t()> one{"test.one", "select 1::int8"};

TEST(PostgresOutage, RecoversAsSoonAsTheServerIsBack) {
  PrivateCluster cluster;
  auto db = Database::open(cluster.url());
  const auto ask = [&] { return db.read([](Read& tx) { return tx.value(one); }); };
  EXPECT_EQ(ask(), 1);
  cluster.stop();
  const auto error = error_of(ask);
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_THAT(error.client_message(), testing::HasSubstr(cluster.folder().string())) << "says where";
  cluster.start();
  EXPECT_EQ(ask(), 1);
  cluster.kill_immediate();
  cluster.start();
  EXPECT_EQ(ask(), 1) << "the dead connections in the pool are nobody's trouble";
}

TEST(PostgresOutage, ACrashInTheMiddleOfATransactionRunsItAgain) {
  PrivateCluster cluster;
  auto db = Database::open(cluster.url());
  int runs = 0;
  db.write([&](Write& tx) {
    EXPECT_EQ(tx.value(one), 1);
    if (++runs == 1) {
      cluster.kill_immediate();
      cluster.start();
    }
    EXPECT_EQ(tx.value(one), 1);
  });
  EXPECT_EQ(runs, 2);
}

TEST(PostgresOutage, TheServersLimitOfConnectionsIsNamed) {
  PrivateCluster cluster({.connections_max = 4});
  std::vector<std::unique_ptr<AdminConnection>> others;
  try {
    while (others.size() < 10) others.push_back(std::make_unique<AdminConnection>(cluster.url()));
  } catch (const std::runtime_error&) {
  }
  const auto error = error_of([&] { Database::open(cluster.url()); });
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_EQ(error.sqlstate(), "53300");
  EXPECT_THAT(error.client_message(), testing::HasSubstr("max_connections"));
}

class PostgresPool : public PostgresTest {};

TEST_F(PostgresPool, AFullPoolSaysWhoHoldsIt) {
  make("", with([](auto& o) {
         o.connections_max = 1;
         o.acquire_timeout = 100ms;
       }));
  std::promise<void> held, done;
  std::thread holder([&] {
    db().read([&](Read& tx) {
      tx.value(one);
      held.set_value();
      done.get_future().wait();
    });
  });
  held.get_future().wait();
  const auto error = error_of([&] { db().read([](Read& tx) { tx.value(one); }); });
  EXPECT_EQ(error.code(), ErrorCode::timeout);
  EXPECT_THAT(error.client_message(), testing::HasSubstr("1 of 1 connections are in use"));
  EXPECT_THAT(error.client_message(), testing::HasSubstr("(test.one)"));
  done.set_value();
  holder.join();
}

TEST_F(PostgresPool, ManyThreadsShareAFewConnections) {
  make("create table t (a int)", with([](auto& o) { o.connections_max = 3; }));
  const auto writes_before = db().stats().writes;
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t)
    threads.emplace_back([&] {
      static constexpr sql::Command<void()> insert{"test.insert", "insert into t values (1)"};
      for (int i = 0; i < 20; ++i) db().write([](Write& tx) { tx.run(insert); });
      for (int i = 0; i < 20; ++i) db().read([](Read& tx) { tx.value(one); });
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ask("select count(*)::text from t"), std::vector<std::string>{"240"});
  EXPECT_LE(db().stats().connections, 3U);
  EXPECT_EQ(db().stats().writes - writes_before, 240U);
}

TEST_F(PostgresPool, AForkedChildIsRefusedAndHarmsNobody) {
  make("", with([](auto& o) { o.connections_max = 1; }));
  std::int64_t backend = 0;
  db().read([&](Read& tx) { backend = pid(tx); });
  const pid_t child = fork();
  if (child == 0) {
    int code = 1;
    try {
      db().read([](Read&) {});
    } catch (const Error& error) {
      code = error.code() == ErrorCode::bug ? 0 : 2;
    }
    { auto handle = db(); }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  db().read([&](Read& tx) { EXPECT_EQ(pid(tx), backend) << "the parent's connection still stands"; });
}

}  // namespace
}  // namespace quarry::test
