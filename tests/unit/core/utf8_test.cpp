#include "quarry/core/utf8.hpp"

#include <gtest/gtest.h>

namespace quarry::test {
namespace {

std::string cleaned(std::string_view text) {
  std::string out;
  append_clean(out, text);
  return out;
}

TEST(Utf8, KnowsEveryCharacterAndNothingElse) {
  for (char32_t code = 1; code <= 0x110000; code += code < 0x3000 ? 1 : 13) {
    std::string text;
    append_code_point(text, code);
    const bool exists = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    const auto found = first_character(text);
    ASSERT_TRUE(found.valid);
    ASSERT_EQ(found.code, exists ? code : 0xFFFD);
    ASSERT_EQ(found.length, text.size());
    ASSERT_EQ(count_clean(text), 1U);
  }
}

TEST(Utf8, BrokenPiecesAreOneReplacementEach) {
  const std::string mark(replacement_character);
  // A lone continuation, overlong forms, a surrogate, beyond U+10FFFF: a piece for each byte.
  EXPECT_EQ(cleaned("\x80"), mark);
  EXPECT_EQ(cleaned("\xC0\xAF"), mark + mark);
  EXPECT_EQ(cleaned("\xED\xA0\x80"), mark + mark + mark);
  EXPECT_EQ(cleaned("\xF4\x90\x80\x80"), mark + mark + mark + mark);
  // Cut short: one piece.
  EXPECT_EQ(cleaned("a\xF0\x9F\x98"), "a" + mark);
  EXPECT_EQ(cleaned("\xE2\x82z"), mark + "z");
  EXPECT_EQ(cleaned(std::string_view("a\0b", 3)), "a" + mark + "b");
  EXPECT_EQ(clean_prefix("eight bytes\xFFmore"), 11U);
  EXPECT_EQ(count_clean("eight bytes\xFFmore"), std::string_view::npos);
  EXPECT_EQ(count_clean("Zürich, 16 + \u20AC"), 14U);
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(cut_at_character("Zürich", 2), "Z");
  EXPECT_EQ(cut_at_character("Zürich", 3), "Zü");
  EXPECT_EQ(cut_at_character("Zürich", 99), "Zürich");
  EXPECT_EQ(cut_at_character("\x80\x80", 1), "");
}

}  // namespace
}  // namespace quarry::test
