#include "quarry/core/log_event.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>

namespace quarry::log {
namespace {

TEST(LogEvent, FieldsStandBehindTheMessage) {
  EXPECT_EQ(text_line("slow query", {{"query", "queue.claim"}, {"duration_ms", 1204}}),
            "slow query query=queue.claim duration_ms=1204");
  EXPECT_EQ(text_line("x", {{"a", "two words"}, {"b", ""}, {"c", "say \"it\""}, {"d", 0.5}}),
            R"(x a="two words" b="" c="say \"it\"" d=0.5)");
}

TEST(LogEvent, AValueCannotBeginALineOrMoveTheCursor) {
  EXPECT_EQ(text_line("a\nwarn forged", {{"host", "x\r\n\x1b[2J"}}), "a?warn forged host=x???[2J");
}

TEST(LogEvent, TheJsonFormIsOneObjectWhateverAValueHolds) {
  const auto line =
      json_line("2026-03-01T12:00:00Z", "warning", "bad \xff\"bytes\"\n",
                {{"query", "a\\b\xc3"}, {"n", std::int64_t{-5}}, {"none", std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("message").as_string(), "bad ?\"bytes\"\n");
  EXPECT_EQ(object.at("query").as_string(), "a\\b?");
  EXPECT_EQ(object.at("n").as_int64(), -5);
  EXPECT_TRUE(object.at("none").is_null());
  EXPECT_EQ(object.at("level").as_string(), "warning");
}

TEST(LogEvent, CharactersOfAnyLengthStay) {
  EXPECT_EQ(text_line("ä€😀", {}), "ä€😀");
  for (const auto* broken : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_EQ(text_line(broken, {}).find_first_not_of('?'), std::string::npos) << broken;
}

}  // namespace
}  // namespace quarry::log
