/// Bulk verbs, streams and several statements at once, on both engines.

#include <gtest/gtest.h>

#include "conformance/sql/things.hpp"
#include "quarry/core/error.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

class Bulk : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }

  static std::vector<Thing> make_things(std::int64_t count) {
    std::vector<Thing> things;
    for (std::int64_t i = 1; i <= count; ++i) {
      things.push_back(make_thing(i));
      if (i % 3 == 0) things.back().note = "every third";
    }
    return things;
  }
};
QUARRY_BOTH_ENGINES(Bulk);

TEST_P(Bulk, InsertAllBringsEveryKind) {
  const auto things = make_things(2500);
  EXPECT_EQ(db().write([&](Write& tx) { return tx.insert_all(things_table, things); }), 2500);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_things); }), things);
  EXPECT_EQ(db().write([&](Write& tx) { return tx.insert_all(things_table, std::span<const Thing>{}); }), 0);
}

TEST_P(Bulk, InsertAllFailsWholeOrSkipsWhatIsThere) {
  const auto things = make_things(2000);
  db().write([&](Write& tx) { tx.insert_all(things_table, std::span(things).subspan(500, 10)); });
  EXPECT_THROW(db().write([&](Write& tx) { tx.insert_all(things_table, things); }), Error);
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(count_things); }), 10);
  EXPECT_EQ(db().write([&](Write& tx) { return tx.insert_all(things_table, things, sql::OnConflict::nothing); }), 1990);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_things); }), things);
}

TEST_P(Bulk, AFailedBulkInsertInsideAnAttemptLeavesTheTransactionUsable) {
  const auto things = make_things(1500);
  db().write([&](Write& tx) {
    tx.run(insert_thing, things[1200]);
    EXPECT_THROW(tx.attempt([&] { tx.insert_all(things_table, things); }), Error);
    tx.run(insert_thing, things[0]);
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(count_things); }), 2);
}

TEST_P(Bulk, RunEachCountsWhatItTouched) {
  const auto things = make_things(700);
  EXPECT_EQ(db().write([&](Write& tx) { return tx.run_each(insert_thing, things); }), 700);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_things); }), things);
  EXPECT_THROW(db().write([&](Write& tx) { tx.run_each(insert_thing, things); }), Error);
}

TEST_P(Bulk, AStreamGoesOnWhileOtherStatementsRun) {
  const auto things = make_things(3000);
  db().write([&](Write& tx) { tx.insert_all(things_table, things); });
  db().read([&](Read& tx) {
    auto rows = tx.stream(all_things);
    std::size_t seen = 0;
    for (Thing& thing : rows) {
      ASSERT_EQ(thing, things[seen]);
      if (++seen % 1000 == 0) {
        ASSERT_EQ(tx.one(find_thing, thing.id), thing);
      }
    }
    EXPECT_EQ(seen, 3000U);
  });
}

TEST_P(Bulk, AStreamMayEndEarly) {
  db().write([&](Write& tx) { tx.insert_all(things_table, make_things(3000)); });
  db().read([&](Read& tx) {
    for (int round = 0; round < 2; ++round) {
      auto rows = tx.stream(all_things);
      for (Thing& thing : rows) {
        EXPECT_EQ(thing.id, 1);
        break;
      }
    }
  });
}

TEST_P(Bulk, TogetherAnswersInOrder) {
  db().write([&](Write& tx) { tx.insert_all(things_table, make_things(5)); });
  const auto [third, none, all, count] = db().read([](Read& tx) {
    return tx.together(sql::one(find_thing, 3), sql::one(find_thing, 99), sql::all(all_things), sql::one(count_things));
  });
  EXPECT_EQ(third.value().id, 3);
  EXPECT_FALSE(none);
  EXPECT_EQ(all.size(), 5U);
  EXPECT_EQ(count.value(), 5);
}

}  // namespace
}  // namespace quarry::test
