/// The binary format, against bytes written by hand from PostgreSQL's sources and against itself.

#include "sql/postgres/wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "quarry/core/error.hpp"
#include "support/error_of.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using test::code_of;

using namespace std::string_literals;
using Limits = std::numeric_limits<std::int64_t>;

std::string int64_bytes(std::int64_t value) {
  std::string out(8, '\0');
  put_int64(out.data(), value);
  return out;
}

TEST(Wire, IntegersAreBigEndianAndOfThreeWidths) {
  EXPECT_EQ(int64_bytes(0x0102030405060708), "\1\2\3\4\5\6\7\10"s);
  EXPECT_EQ(decode_integer("\xFF\xFE"s), -2);
  EXPECT_EQ(decode_integer("\x80\0\0\0"s), std::numeric_limits<std::int32_t>::min());
  for (const auto value : {Limits::min(), Limits::max(), std::int64_t{0}, std::int64_t{-1}})
    EXPECT_EQ(decode_integer(int64_bytes(value)), value);
  EXPECT_EQ(code_of([] { decode_integer("abc"); }), ErrorCode::corrupt);
}

TEST(Wire, RealsKeepEveryBit) {
  std::string bytes(8, '\0');
  for (const double value : {0.0, -0.0, 1.5, -1e308, 5e-324, std::numeric_limits<double>::infinity()}) {
    put_float8(bytes.data(), value);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(decode_real(bytes)), std::bit_cast<std::uint64_t>(value));
  }
  std::string four(4, '\0');
  put_float4(four.data(), 0.25F);
  EXPECT_EQ(decode_real(four), 0.25);
  EXPECT_EQ(code_of([] { decode_real("x"); }), ErrorCode::corrupt);
}

TEST(Wire, TimeCountsFromTheYear2000) {
  EXPECT_EQ(instant_to_wire({946'684'800'000'000}), 0);
  EXPECT_EQ(decode_instant(int64_bytes(0)).us, 946'684'800'000'000);
  EXPECT_EQ(decode_instant(int64_bytes(instant_to_wire({-1}))).us, -1);
  EXPECT_EQ(decode_instant(int64_bytes(instant_to_wire({Limits::max()}))).us, Limits::max()) << "infinity";
  EXPECT_EQ(decode_instant(int64_bytes(instant_to_wire({Limits::min()}))).us, Limits::min());
  EXPECT_EQ(code_of([] { instant_to_wire({Limits::min() + 1}); }), ErrorCode::invalid);
}

TEST(Wire, ArraysGoThereAndBack) {
  for (const auto& values : {std::vector<std::int64_t>{}, {0}, {Limits::min(), -1, Limits::max()}}) {
    ByteBuffer out;
    encode_int64_array(out, values);
    EXPECT_EQ(decode_int64_array(out.view()), values);
  }
  for (const auto& values : {std::vector<std::string>{}, {""}, {"a", "\xC3\xA4", std::string(100'000, 'x')}}) {
    ByteBuffer out;
    encode_text_array(out, values);
    EXPECT_EQ(decode_text_array(out.view()), values);
  }
}

TEST(Wire, AnArrayMatchesTheServersLayout) {
  ByteBuffer out;
  encode_int64_array(out, std::vector<std::int64_t>{7}, oid::int4);
  EXPECT_EQ(out.view(), "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7"s);
  EXPECT_EQ(decode_int64_array(out.view()), std::vector<std::int64_t>{7});
}

TEST(Wire, NarrowColumnsRefuseWideNumbers) {
  EXPECT_NO_THROW(check_integer_width(32'767, 2));
  EXPECT_EQ(code_of([] { check_integer_width(32'768, 2); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([] { check_integer_width(-2'147'483'649, 4); }), ErrorCode::invalid);
  EXPECT_NO_THROW(check_integer_width(Limits::min(), 8));
  ByteBuffer out;
  EXPECT_EQ(code_of([&] {
              encode_int64_array(out, std::vector<std::int64_t>{1, 1'000'000}, oid::int2);
            }),
            ErrorCode::invalid);
}

TEST(Wire, BrokenArraysAreErrorsAndNotReadsBeyondTheEnd) {
  ByteBuffer good;
  encode_text_array(good, std::vector<std::string>{"alpha", "beta", ""});
  const std::string bytes(good.view());
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string broken = bytes.substr(0, random() % (bytes.size() + 1));
    for (int flips = static_cast<int>(random() % 4); flips > 0 && !broken.empty(); --flips)
      broken[random() % broken.size()] = static_cast<char>(random());
    try {
      decode_text_array(broken);
      decode_int64_array(broken);
    } catch (const Error&) {
    }
  }
  EXPECT_EQ(code_of([&] { decode_text_array(bytes.substr(0, bytes.size() - 1)); }), ErrorCode::corrupt);
}

TEST(Wire, ANullInAnArrayIsNamed) {
  const auto with_null = "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\1\0\0\0\1\xFF\xFF\xFF\xFF"s;
  EXPECT_EQ(code_of([&] { decode_text_array(with_null); }), ErrorCode::bug);
}

TEST(Wire, AByteBufferKeepsWhatItHoldsWhenItGrows) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    *buffer.grow(1) = static_cast<char>(i);
    expected += static_cast<char>(i);
  }
  EXPECT_EQ(buffer.view(), expected);
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
