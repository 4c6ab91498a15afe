/// Which binary form a column takes in COPY, and what one row looks like.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "quarry/sql/codec.hpp"
#include "sql/postgres/bulk_plan.hpp"
#include "sql/postgres/copy.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::string_literals;

TEST(EncoderFor, FollowsTheColumnsInputFunction) {
  const auto choose = [](Kind kind, std::string_view receive) { return encoder_for(kind, receive, 0, ""); };
  EXPECT_EQ(choose(Kind::int64, "int4recv"), Encoder::int4);
  EXPECT_EQ(choose(Kind::int64, "numeric_recv"), Encoder::none);
  EXPECT_EQ(choose(Kind::text, "enum_recv"), Encoder::raw);
  EXPECT_EQ(choose(Kind::text, "jsonb_recv"), Encoder::jsonb);
  EXPECT_EQ(choose(Kind::text, "inet_recv"), Encoder::none);
  EXPECT_EQ(choose(Kind::json, "json_recv"), Encoder::raw);
  EXPECT_EQ(choose(Kind::instant, "date_recv"), Encoder::none);
  EXPECT_EQ(encoder_for(Kind::int64_array, "array_recv", oid::int4, "int4recv"), Encoder::int64_array);
  EXPECT_EQ(encoder_for(Kind::text_array, "array_recv", 99'999, "enum_recv"), Encoder::text_array);
  EXPECT_EQ(encoder_for(Kind::text_array, "array_recv", 869, "inet_recv"), Encoder::none);
}

BulkPlan plan_of(std::vector<BulkColumn> columns) {
  BulkPlan plan;
  plan.columns = std::move(columns);
  return plan;
}

TEST(CopyRow, IsACountAndLengthsBeforeValues) {
  const auto plan =
      plan_of({{Kind::int64, Encoder::int2, 0}, {Kind::json, Encoder::jsonb, 0}, {Kind::text, Encoder::raw, 0}});
  const std::vector<Param> params{Codec<int>::to_param(258), Param::make_view(Kind::json, "{}", 2),
                                  Param::make_null(Kind::text)};
  ByteBuffer out;
  encode_copy_row(out, plan, params.data());
  EXPECT_EQ(out.view(), "\0\3\0\0\0\2\1\2\0\0\0\3\1{}\xFF\xFF\xFF\xFF"s);
}

TEST(CopyRow, AnArrayHasTheLengthOfAllOfIt) {
  const auto plan = plan_of({{Kind::text_array, Encoder::text_array, oid::varchar}});
  const std::vector<std::string> words{"a", "bc"};
  const Param param = Codec<std::vector<std::string>>::to_param(words);
  ByteBuffer out;
  encode_copy_row(out, plan, &param);
  EXPECT_EQ(take_int32(out.data() + 2), static_cast<std::int32_t>(out.size() - 6));
  EXPECT_EQ(decode_text_array(out.view().substr(6)), words);
}

TEST(CopyRow, ANumberThatDoesNotFitIsTheCallersMistake) {
  const auto plan = plan_of({{Kind::int64, Encoder::int4, 0}});
  const Param param = Codec<std::int64_t>::to_param(3'000'000'000);
  ByteBuffer out;
  try {
    encode_copy_row(out, plan, &param);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_THAT(error.client_message(), testing::HasSubstr("3000000000"));
  }
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
