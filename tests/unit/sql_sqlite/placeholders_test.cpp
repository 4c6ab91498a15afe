#include "sql/sqlite/placeholders.hpp"

#include <gtest/gtest.h>

namespace quarry::sql::sqlite_driver {
namespace {

TEST(Placeholders, AreNumberedOutsideOfQuotesAndComments) {
  EXPECT_EQ(number_placeholders("select $1, $12 from t"), "select ?1, ?12 from t");
  EXPECT_EQ(number_placeholders("select '$1', \"$2\", $3"), "select '$1', \"$2\", ?3");
  EXPECT_EQ(number_placeholders("select 'it''s $1' || $1"), "select 'it''s $1' || ?1");
  EXPECT_EQ(number_placeholders("-- $1\nselect $1 /* $2 */"), "-- $1\nselect ?1 /* $2 */");
  EXPECT_EQ(number_placeholders("select $name, $"), "select $name, $");
  EXPECT_EQ(number_placeholders("select 'open $1"), "select 'open $1");
}

}  // namespace
}  // namespace quarry::sql::sqlite_driver
