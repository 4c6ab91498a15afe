/// Whoever observes a database learns every statement's name and time, and nothing else changes.

#include "quarry/sql/observer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "conformance/sql/things.hpp"
#include "quarry/sql/backend.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

class Notes final : public sql::Observer {
 public:
  void statement_ended(const sql::StatementReport& report) noexcept override {
    const std::scoped_lock lock(mutex_);
    EXPECT_GE(report.duration.count(), 0);
    statements.push_back(std::string(report.name) + (report.failed ? " failed" : ""));
  }
  void transaction_ended(const sql::TransactionReport& report) noexcept override {
    const std::scoped_lock lock(mutex_);
    EXPECT_GT(report.duration.count(), 0);
    transactions.push_back(std::string(report.is_write ? "write" : "read") + (report.failed ? " failed" : ""));
  }
  std::vector<std::string> statements;
  std::vector<std::string> transactions;

 private:
  std::mutex mutex_;
};

class Observed : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }
  Notes& notes() {
    if (!notes_) db().backend().observe(notes_ = std::make_shared<Notes>());
    return *notes_;
  }

 private:
  std::shared_ptr<Notes> notes_;
};
QUARRY_BOTH_ENGINES(Observed);

using testing::ElementsAre;

TEST_P(Observed, EveryVerbIsToldByItsName) {
  notes();
  db().write([](Write& tx) {
    tx.run(insert_thing, make_thing(1));
    const std::vector<Thing> more{make_thing(2), make_thing(3)};
    tx.insert_all(things_table, std::span<const Thing>(more));
    const std::vector<Thing> last{make_thing(4)};
    tx.run_each(insert_thing, last);
  });
  const auto found = db().read([](Read& tx) { return tx.one(find_thing, 2); });
  EXPECT_EQ(found, make_thing(2));
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_things).size(); }), 4U);
  EXPECT_EQ(db().read([](Read& tx) {
    std::size_t rows = 0;
    auto things = tx.stream(all_things);
    for (const Thing& thing : things) rows += static_cast<std::size_t>(thing.id > 0);
    return rows;
  }),
            4U);
  EXPECT_THAT(notes().statements,
              ElementsAre("thing.insert", "things", "thing.insert", "thing.find", "thing.all", "thing.all"));
  EXPECT_THAT(notes().transactions, ElementsAre("write", "read", "read", "read"));
}

TEST_P(Observed, StatementsThatGoTogetherAreTold) {
  db().write([](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  notes();
  const auto [thing, count] =
      db().read([](Read& tx) { return tx.together(sql::one(find_thing, 1), sql::one(count_things)); });
  EXPECT_EQ(thing, make_thing(1));
  EXPECT_EQ(count, 1);
  if (is_sqlite()) {
    EXPECT_THAT(notes().statements, ElementsAre("thing.find", "thing.count"));
  } else {
    EXPECT_THAT(notes().statements, ElementsAre("thing.find")) << "one round trip, under the name of the first";
  }
}

TEST_P(Observed, FailuresAreToldAndThrownAsEver) {
  db().write([](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  notes();
  try {
    db().write([](Write& tx) { tx.run(insert_thing, make_thing(1)); });
    ADD_FAILURE() << "a duplicate went in";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::constraint);
    EXPECT_EQ(error.query_name(), "thing.insert");
  }
  // Group commit on SQLite may try a batch again; the last report counts.
  EXPECT_EQ(notes().statements.back(), "thing.insert failed");
  EXPECT_EQ(notes().transactions.back(), "write failed");
  db().write([](Write& tx) {
    try {
      tx.attempt([&] { tx.run(insert_thing, make_thing(1)); });
    } catch (const Error&) {
      tx.run(insert_thing, make_thing(2));
    }
  });
  EXPECT_EQ(notes().statements.back(), "thing.insert");
  EXPECT_EQ(notes().transactions.back(), "write");
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(count_things); }), 2);
}

TEST_P(Observed, TheActorAndWhatComesAfterTheCommitPassThrough) {
  notes();
  const UserId ada{make_thing(7).key};
  bool committed = false;
  db().write({.actor = is_sqlite() ? Actor::user(ada) : Actor::system()}, [&](Write& tx) {
    EXPECT_EQ(tx.actor(), is_sqlite() ? Actor::user(ada) : Actor::system());
    tx.run(insert_thing, make_thing(1));
    tx.after_commit([&] { committed = true; });
  });
  EXPECT_TRUE(committed);
}

}  // namespace
}  // namespace quarry::test
