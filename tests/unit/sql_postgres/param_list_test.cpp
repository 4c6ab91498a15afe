#include "sql/postgres/param_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "quarry/sql/codec.hpp"

namespace quarry::sql::postgres_driver {
namespace {

std::string_view value(const ParamList& list, std::size_t i) {
  return {list.values()[i], static_cast<std::size_t>(list.lengths()[i])};
}

TEST(ParamList, TextEndsWithAZeroAndItsTypeIsLeftToTheServer) {
  const std::string_view cut = std::string_view("abcdef").substr(0, 3);
  const std::vector<Param> params{Codec<std::string_view>::to_param(cut), Codec<std::string_view>::to_param("")};
  ParamList list;
  list.assign(params);
  EXPECT_STREQ(list.values()[0], "abc");
  EXPECT_STREQ(list.values()[1], "");
  EXPECT_THAT(list.types(), testing::ElementsAre(0u, 0u));
  EXPECT_EQ(list.formats()[0], 0);
}

TEST(ParamList, NumbersTimesAndIdsAreBinary) {
  const Uuid id{{1, 2, 3}};
  const std::vector<Param> params{Codec<std::int64_t>::to_param(5), Codec<bool>::to_param(true),
                                  Codec<double>::to_param(1.5), Codec<Instant>::to_param({946'684'800'000'001}),
                                  Codec<Uuid>::to_param(id)};
  ParamList list;
  list.assign(params);
  EXPECT_THAT(list.types(), testing::ElementsAre(oid::int8, oid::boolean, oid::float8, oid::timestamptz, oid::uuid));
  EXPECT_EQ(decode_integer(value(list, 0)), 5);
  EXPECT_TRUE(decode_boolean(value(list, 1)));
  EXPECT_EQ(decode_real(value(list, 2)), 1.5);
  EXPECT_EQ(take_int64(value(list, 3).data()), 1);
  EXPECT_EQ(decode_uuid(value(list, 4)), id);
  for (std::size_t i = 0; i < params.size(); ++i) EXPECT_EQ(list.formats()[i], 1);
}

TEST(ParamList, PointersHoldAfterTheBufferHasGrown) {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i) * 37, static_cast<char>('a' + i % 26)));
  std::vector<Param> params;
  for (const auto& text : texts) params.push_back(Codec<std::string>::to_param(text));
  ParamList list;
  for (int round = 0; round < 2; ++round) {
    list.assign(params);
    for (std::size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(list.values()[i], texts[i]);
  }
}

TEST(ParamList, NullsKeepTheirKindsType) {
  const std::vector<Param> params{Param::make_null(Kind::json), Param::make_null(Kind::text),
                                  Param::make_null(Kind::int64_array)};
  ParamList list;
  list.assign(params);
  EXPECT_THAT(list.types(), testing::ElementsAre(oid::jsonb, oid::inferred, oid::int8_array));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(list.values()[i], nullptr);
}

TEST(ParamList, EmptyBytesAreNotNull) {
  const Bytes empty;
  const Param param = Codec<Bytes>::to_param(empty);
  ParamList list;
  list.assign({&param, 1});
  EXPECT_NE(list.values()[0], nullptr);
  EXPECT_EQ(list.lengths()[0], 0);
}

TEST(ParamList, RefusesAZeroByteInText) {
  const Param param = Codec<std::string_view>::to_param({"a\0b", 3});
  ParamList list;
  try {
    list.assign({&param, 1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
