#include "quarry/store/conditions.hpp"

#include <gtest/gtest.h>

namespace quarry::test {
namespace {

TEST(Conditions, NumberTheirValuesAsTheyCome) {
  store::Conditions where;
  EXPECT_EQ(where.text(), "");
  const std::string name = "ada";
  const std::int64_t low = 1, high = 9;
  where.add("deleted_at is null");
  where.add("name = {}", name);
  where.add("n between {} and {}", low, high);
  EXPECT_EQ(where.text(), " where deleted_at is null and name = $1 and n between $2 and $3");
  where.add("(a like {0} or b like {0})", name);
  EXPECT_TRUE(where.text().ends_with(" and (a like $4 or b like $4)"));
  ASSERT_EQ(where.params().size(), 4U);
  EXPECT_EQ(where.params()[0].view(), "ada");
  EXPECT_EQ(where.params()[2].integer, 9);
}

TEST(Conditions, PlacesAndValuesMustAgree) {
  store::Conditions where;
  const std::int64_t n = 1;
  EXPECT_THROW(where.add("a = {} and b = {}", n), Error);
  store::Conditions more;
  EXPECT_THROW(more.add("a is null", n), Error);
}

TEST(Conditions, WhoSeesAllIsNotHeldBack) {
  const UserId ada{parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057")};
  for (const auto& actor : {Actor::system(), Actor::admin(ada)}) {
    store::Conditions where;
    where.owned(actor, "user_id");
    EXPECT_EQ(where.text(), "");
  }
  const auto actor = Actor::user(ada);
  store::Conditions where;
  where.owned(actor, "j.user_id");
  EXPECT_EQ(where.text(), " where j.user_id = $1");
}

TEST(Like, TakesEveryCharacterAsItIs) {
  EXPECT_EQ(store::like_anywhere("50%_\\x"), "%50\\%\\_\\\\x%");
  EXPECT_EQ(store::like_prefix("a_"), "a\\_%");
}

}  // namespace
}  // namespace quarry::test
