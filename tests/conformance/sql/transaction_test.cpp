/// What a transaction promises, on both engines.

#include <gmock/gmock.h>

#include <stdexcept>
#include <thread>

#include "conformance/sql/things.hpp"
#include "quarry/core/error.hpp"
#include "support/both_engines.hpp"
#include "support/error_of.hpp"

namespace quarry::test {
namespace {

class Transactions : public BothEngines {
 protected:
  void SetUp() override { db(); }  // before threads ask for it
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }

  std::int64_t count() {
    return db().read([](Read& tx) { return tx.value(count_things); });
  }
  void add(std::int64_t id) {
    db().write([&](Write& tx) { tx.run(insert_thing, make_thing(id)); });
  }
};
QUARRY_BOTH_ENGINES(Transactions);

TEST_P(Transactions, AThrowUndoesEverything) {
  EXPECT_THROW(db().write([&](Write& tx) {
    tx.run(insert_thing, make_thing(1));
    throw std::runtime_error("changed my mind");
  }),
               std::runtime_error);
  EXPECT_EQ(count(), 0);
  add(1);
  EXPECT_EQ(count(), 1);
}

TEST_P(Transactions, AConstraintIsAnErrorWithTheQuerysNameAndWithoutTheRowsData) {
  add(1);
  auto same = make_thing(2);
  same.name = make_thing(1).name;
  try {
    db().write([&](Write& tx) { tx.run(insert_thing, same); });
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::constraint);
    EXPECT_EQ(error.query_name(), "thing.insert");
    EXPECT_FALSE(error.retryable());
    EXPECT_THAT(error.client_message(), testing::HasSubstr("name"));
    EXPECT_THAT(error.client_message(), testing::Not(testing::HasSubstr("thing 1")));
  }
}

TEST_P(Transactions, AnAttemptThatFailsLeavesTheRest) {
  db().write([&](Write& tx) {
    tx.run(insert_thing, make_thing(1));
    EXPECT_THROW(tx.attempt([&] {
      tx.run(insert_thing, make_thing(2));
      tx.run(insert_thing, make_thing(1));
    }),
                 Error);
    EXPECT_EQ(tx.attempt([&] { return tx.run(insert_thing, make_thing(3)); }), 1);
  });
  const auto all = db().read([](Read& tx) { return tx.all(all_things); });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].id, 3);
}

TEST_P(Transactions, ActionsRunAfterTheCommitAndOnlyThen) {
  std::vector<int> ran;
  db().write([&](Write& tx) {
    tx.after_commit([&] { ran.push_back(1); });
    try {
      tx.attempt([&] {
        tx.after_commit([&] { ran.push_back(2); });
        throw std::runtime_error("no");
      });
    } catch (const std::runtime_error&) {
    }
    EXPECT_TRUE(ran.empty());
  });
  EXPECT_EQ(ran, std::vector{1});
  EXPECT_THROW(db().write([&](Write& tx) {
    tx.after_commit([&] { ran.push_back(3); });
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(ran, std::vector{1});
}

TEST_P(Transactions, ATransactionInsideAnotherIsAnErrorAndNotADeadlock) {
  EXPECT_EQ(code_of([&] { db().write([&](Write&) { db().write([](Write&) {}); }); }), ErrorCode::bug);
  EXPECT_EQ(code_of([&] { db().read([&](Read&) { db().write([](Write&) {}); }); }), ErrorCode::bug);
  EXPECT_EQ(code_of([&] { db().write([&](Write&) { db().read([](Read&) {}); }); }), ErrorCode::bug);
  TestDatabase other(GetParam(), things_schema());
  db().read([&](Read&) { other.db().write([](Write& tx) { tx.run(insert_thing, make_thing(1)); }); });
}

TEST_P(Transactions, AReadCannotWriteEvenBelowTheTypes) {
  EXPECT_EQ(code_of([&] { db().read([](Read& tx) { tx.session().run_script("test", "delete from things"); }); }),
            ErrorCode::denied);
}

TEST_P(Transactions, AReadSeesOneMomentFromItsFirstQueryOn) {
  add(1);
  db().read([&](Read& tx) {
    EXPECT_EQ(tx.value(count_things), 1);
    std::thread([&] { add(2); }).join();
    EXPECT_EQ(tx.value(count_things), 1);
  });
  EXPECT_EQ(count(), 2);
}

TEST_P(Transactions, AReadOnlyHandleDeniesWrites) {
  auto reader = database().open({.read_only = true});
  EXPECT_EQ(reader.read([](Read& tx) { return tx.value(count_things); }), 0);
  EXPECT_EQ(code_of([&] { reader.write([](Write&) {}); }), ErrorCode::denied);
}

TEST_P(Transactions, WritesOfManyThreadsAllLand) {
  std::vector<std::thread> threads;
  std::atomic<int> refused = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        add(t * 50 + i);
        try {
          add(t * 50 + i);  // fails alone, whoever shares its commit
        } catch (const Error& error) {
          refused += error.code() == ErrorCode::constraint;
        }
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(), 400);
  EXPECT_EQ(refused, 400);
}

TEST_P(Transactions, AStatementThatRunsTooLongIsStopped) {
  auto impatient = database().open({.statement_timeout = std::chrono::milliseconds(200)});
  static constexpr sql::Query<std::int64_t()> endless{
      "test.endless", "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"};
  EXPECT_EQ(code_of([&] { impatient.read([](Read& tx) { tx.value(endless); }); }), ErrorCode::timeout);
  EXPECT_EQ(impatient.read([](Read& tx) { return tx.value(count_things); }), 0);
}

TEST_P(Transactions, AnActionThatThrowsAfterTheCommitStopsNobody) {
  EXPECT_NO_THROW(db().write([](Write& tx) { tx.after_commit([] { throw std::runtime_error("too late"); }); }));
  bool ran = false;
  db().write([&](Write& tx) { tx.after_commit([&] { ran = true; }); });
  EXPECT_TRUE(ran) << "the next writer leads";
}

}  // namespace
}  // namespace quarry::test
