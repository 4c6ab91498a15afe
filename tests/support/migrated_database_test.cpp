#include "support/migrated_database.hpp"

#include <gtest/gtest.h>

#include "quarry/schema/migrator.hpp"

namespace quarry::test {
namespace {

class Migrated : public MigratedEngines {};
QUARRY_BOTH_ENGINES(Migrated);

TEST_P(Migrated, IsAtTheHeadOfThisBuild) {
  EXPECT_EQ(schema::status(db()).state, schema::State::current);
  // A copy is as good as the first one.
  TestDatabase copy(GetParam(), head());
  EXPECT_NO_THROW(schema::check(copy.db()));
}

}  // namespace
}  // namespace quarry::test
