#include "sql/postgres/statement_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace quarry::sql::postgres_driver {
namespace {

constexpr std::string_view fixed = "select 1";
const std::vector<oid::Type> none;
const std::vector<oid::Type> number{oid::int8};

TEST(StatementCache, FindsStaticTextByAddressAndOthersByContent) {
  StatementCache cache(10, 1);
  const std::string copy(fixed);
  const auto first = cache.find(fixed, true, none);
  EXPECT_TRUE(first.fresh);
  EXPECT_EQ(cache.find(fixed, true, none).statement, first.statement);
  EXPECT_TRUE(cache.find(copy, false, none).fresh) << "a dynamic text is another entry";
  EXPECT_FALSE(cache.find(std::string(fixed), false, none).fresh);
}

TEST(StatementCache, TellsTypesOfParametersApart) {
  StatementCache cache(10, 1);
  const auto a = cache.find(fixed, true, none);
  const auto b = cache.find(fixed, true, number);
  EXPECT_TRUE(b.fresh);
  EXPECT_NE(a.statement->name, b.statement->name);
  EXPECT_FALSE(cache.find(fixed, true, none).fresh);
}

TEST(StatementCache, ForgetsTheLeastRecentlyUsedAndAsksToDeallocateItOnce) {
  StatementCache cache(2, 1);
  const auto a = cache.find("a", false, none).statement;
  const auto b = cache.find("b", false, none).statement;
  cache.find("a", false, none);
  cache.find("c", false, none);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.take_garbage(), std::vector{b->name});
  EXPECT_TRUE(cache.take_garbage().empty());
  EXPECT_FALSE(cache.find("a", false, none).fresh);
  EXPECT_TRUE(cache.find("b", false, none).fresh);
}

TEST(StatementCache, AStatementThatWasNeverMadeIsNotDeallocated) {
  StatementCache cache(2, 1);
  cache.drop(*cache.find("a", false, none).statement);
  EXPECT_TRUE(cache.take_garbage().empty());
  const auto made = cache.find("a", false, none);
  EXPECT_TRUE(made.fresh);
  made.statement->made = true;
  cache.drop(*made.statement);
  EXPECT_EQ(cache.take_garbage(), std::vector{made.statement->name});
}

TEST(StatementCache, NamesAreNeverUsedAgain) {
  StatementCache cache(2, 7);
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(names.insert(cache.find(std::to_string(i), false, none).statement->name).second);
  cache.clear();
  EXPECT_TRUE(names.insert(cache.find("1", false, none).statement->name).second);
  EXPECT_NE(StatementCache(2, 8).find("1", false, none).statement->name,
            StatementCache(2, 9).find("1", false, none).statement->name);
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
