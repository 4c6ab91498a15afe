/// Every kind of value goes in and comes out the same on both engines.

#include <gmock/gmock.h>

#include "conformance/sql/things.hpp"
#include "quarry/core/error.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

class Values : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }

  Thing round_trip(const Thing& thing) {
    db().write([&](Write& tx) { tx.run(insert_thing, thing); });
    return db().read([&](Read& tx) { return tx.one(find_thing, thing.id).value(); });
  }
};
QUARRY_BOTH_ENGINES(Values);

TEST_P(Values, EmptyAndZero) {
  auto thing = make_thing(0);
  thing.name = "";
  thing.at = {0};
  EXPECT_EQ(round_trip(thing), thing);
}

TEST_P(Values, Extremes) {
  auto thing = make_thing(2'147'483'647);
  thing.flag = true;
  thing.weight = -1.7976931348623157e308;
  thing.name = "ünïcödé ' \" \\ $1 ?1 \n";
  thing.body = {std::byte{0}, std::byte{255}, std::byte{0}};
  thing.at = {-62'135'596'800'000'000};  // year 1
  thing.numbers = {INT64_MIN, 0, INT64_MAX};
  thing.words = {"", "a,b", "{}", "\"quoted\"", "NULL"};
  thing.color = Color::green;
  thing.note = "";
  EXPECT_EQ(round_trip(thing), thing);
}

TEST_P(Values, JsonComesBackAsJson) {
  auto thing = make_thing(1);
  thing.data = {R"({"a":[1,2,{"b":null}]})"};
  const auto back = round_trip(thing).data.text;
  std::string squeezed;
  for (const char c : back)
    if (c != ' ') squeezed += c;
  EXPECT_EQ(squeezed, thing.data.text);  // jsonb keeps no spaces
}

TEST_P(Values, ANullWhereTheMemberIsNotOptionalIsAnError) {
  static constexpr sql::Query<std::string()> null_text{"test.null", sql::sqlite("select null"),
                                                       sql::postgres("select null::text")};
  try {
    db().read([&](Read& tx) { return tx.one(null_text); });
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bug);
    EXPECT_EQ(error.query_name(), "test.null");
  }
}

TEST_P(Values, AMissingColumnIsAnErrorThatNamesIt) {
  static constexpr sql::Query<Thing()> too_few{"test.few", "select id, name from things"};
  db().write([&](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  try {
    db().read([&](Read& tx) { return tx.all(too_few); });
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.client_message(), testing::HasSubstr("flag"));
  }
}

TEST_P(Values, AColumnOfAnotherTypeIsAnError) {
  static constexpr sql::Query<std::int64_t()> wrong{"test.wrong", "select name from things"};
  db().write([&](Write& tx) { tx.run(insert_thing, make_thing(1)); });
  EXPECT_THROW(db().read([&](Read& tx) { return tx.one(wrong); }), Error);
}

TEST_P(Values, ArraysAsParameters) {
  static constexpr sql::Query<std::int64_t(std::vector<std::int64_t>)> among{
      "test.among", sql::sqlite("select count(*) from things where id in (select value from json_each($1))"),
      sql::postgres("select count(*) from things where id = any($1)")};
  db().write([&](Write& tx) {
    for (int i = 1; i <= 5; ++i) tx.run(insert_thing, make_thing(i));
  });
  EXPECT_EQ(db().read([&](Read& tx) { return tx.value(among, {2, 3, 99}); }), 2);
  EXPECT_EQ(db().read([&](Read& tx) { return tx.value(among, {}); }), 0);
}

}  // namespace
}  // namespace quarry::test
