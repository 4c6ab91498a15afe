#include "quarry/core/id.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry {
namespace {

TEST(Uuid, RoundTripsThroughText) {
  SeededRandom random(1);
  const auto id = make_uuid_v7({1'772'366'400'123'456}, random);
  const auto text = to_string(id);
  EXPECT_EQ(text.size(), 36U);
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  EXPECT_EQ(parse_uuid(text), id);
}

TEST(Uuid, IsOrderedByTheMicrosecondItWasMadeIn) {
  SeededRandom random(2);
  for (std::int64_t us = 1'772'366'399'999'000; us < 1'772'366'400'003'000; ++us)
    ASSERT_LT(make_uuid_v7({us}, random), make_uuid_v7({us + 1}, random)) << us;
}

TEST(Uuid, RefusesOtherText) {
  for (const char* text : {"", "x", "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80577",
                           "01890a5dxac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a805g"})
    EXPECT_THROW(parse_uuid(text), Error) << text;
}

}  // namespace
}  // namespace quarry
