#include "artifacts/text_rules.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::test {
namespace {

using namespace artifacts;

TEST(TextRules, TakesUtf8AndNothingElse) {
  for (const auto* good :
       {"", "plain", "Zürich", "\u20AC", "\U0001F600", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF", "tab\tand\nline"})
    EXPECT_NO_THROW(check_text("title", good)) << good;
  // A lone continuation, overlong forms, a surrogate, beyond U+10FFFF, cut short.
  for (const auto* bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "a\xF0\x9F\x98", "\xFF"})
    EXPECT_THROW(check_text("title", bad), Error) << bad;
  EXPECT_THROW(check_text("title", std::string_view("a\0b", 3)), Error);
  try {
    check_text("description", "good\x80");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_NE(error.client_message().find("description"), std::string::npos);
    EXPECT_NE(error.client_message().find("byte 4"), std::string::npos);
  }
}

TEST(TextRules, CutsBetweenCharacters) {
  EXPECT_EQ(store::first_characters("Zürich", 2), "Zü");
  EXPECT_EQ(store::first_characters("Zürich", 6), "Zürich");
  EXPECT_EQ(store::first_characters("Zürich", 7), "Zürich");
  EXPECT_EQ(store::first_characters("Zürich", 0), "");
  EXPECT_EQ(store::first_characters("\U0001F600\U0001F601", 1), "\U0001F600");
}

}  // namespace
}  // namespace quarry::test
