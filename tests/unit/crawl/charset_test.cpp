/// Text of the encodings that the web uses, as WHATWG's decoders give it.
#include "crawl/web/charset.hpp"

#include <gtest/gtest.h>

#include "quarry/core/utf8.hpp"

namespace quarry::test {
namespace {

using namespace std::string_literals;

struct Case {
  std::string charset, bytes, text;
};

std::string decoded(std::string_view bytes, std::string_view charset) {
  crawl::Decoded out;
  crawl::decode(bytes, charset, out);
  return std::string(out.text);
}

TEST(Charset, ReadsEastAsia) {
  const std::string japanese = "日本語ｶﾅ①";
  const Case cases[] = {
      {"shift_jis", "\x93\xFA\x96\x7B\x8C\xEA\xB6\xC5\x87\x40<p>~\\", "日本語ｶﾅ①<p>~\\"},
      {"windows-31j", "\x93\xFA\x96\x7B\x8C\xEA", "日本語"},
      {"iso-2022-jp", "<title>\x1B$B\x46\x7C\x4B\x5C\x38\x6C\x1B(B</title>", "<title>日本語</title>"},
      {"euc-jp", "\xC6\xFC\xCB\xDC\xB8\xEC\x8E\xB6", "日本語ｶ"},
      {"gb18030", "\x95\x32\x82\x36 \x90\x30\x81\x30 \xA2\xE3", "𠀀 𐀀 €"},
      {"gb2312", "\xD6\xD0\xCE\xC4 \x80", "中文 €"},
      {"gbk", "\xD6\xD0\xCE\xC4", "中文"},
      {"big5", "\xA4\xA4\xA4\xE5 \x88\x62", "中文 \xC3\x8A\xCC\x84"},
      {"ks_c_5601-1987", "\xC7\xD1\xB1\xB9 \x8C\x63", "한국 똠"},
  };
  for (const auto& [charset, bytes, text] : cases) EXPECT_EQ(decoded(bytes, charset), text) << charset;
}

TEST(Charset, ReadsUtf16BeyondTheFirstPlane) {
  EXPECT_EQ(decoded("\x3D\xD8\x00\xDE \0A\0"s, "utf-16le"), "😀 A");
  EXPECT_EQ(decoded("\xD8\x3D\xDE\x00\0 \0A"s, "utf-16be"), "😀 A");
  EXPECT_EQ(decoded("\xFE\xFF\0<\0p\0>\0\xE4"s, ""), "<p>ä");
  EXPECT_EQ(decoded("\xFF\xFE\x3D\xD8\x00\xDE \0\x3D\xD8\x00\xDE"s, ""), "😀 😀");
  // Halves of a pair, and a byte too few.
  EXPECT_EQ(decoded("\x3D\xD8 \0A\0"s, "utf-16le"), "\xEF\xBF\xBD A");
  EXPECT_EQ(decoded("\x00\xDE \0A\0"s, "utf-16le"), "\xEF\xBF\xBD A");
  EXPECT_EQ(decoded("A\0\x3D"s, "utf-16le"), "A\xEF\xBF\xBD");
  EXPECT_EQ(decoded("A\0\x3D\xD8"s, "utf-16le"), "A\xEF\xBF\xBD");
}

TEST(Charset, TheMarkWinsOverHeaderAndMeta) {
  EXPECT_EQ(decoded("\xEF\xBB\xBF<meta charset=koi8-r>\xC3\xA4", "shift_jis"), "<meta charset=koi8-r>ä");
  EXPECT_EQ(decoded("\xFE\xFF\x65\xE5"s, "utf-8"), "日");
  EXPECT_EQ(decoded("<meta charset=\"shift_jis\">\x93\xFA", ""), "<meta charset=\"shift_jis\">日");
  EXPECT_EQ(decoded("<meta charset=koi8-r>\x93\xFA", "shift_jis"), "<meta charset=koi8-r>日");
}

TEST(Charset, BrokenTextNeverSwallowsMarkup) {
  const std::string mark(replacement_character);
  for (const auto* charset : {"shift_jis", "euc-jp", "euc-kr", "gbk", "gb18030", "big5"}) {
    EXPECT_EQ(decoded("\xE1<p>x", charset), mark + "<p>x") << charset;
    EXPECT_EQ(decoded("x\xE1", charset), "x" + mark) << charset;
    EXPECT_EQ(decoded("\xFF<p>", charset), mark + "<p>") << charset;
  }
  // A pair that has no character is one mark.
  EXPECT_EQ(decoded("\x87\x9F\x93\xFA", "shift_jis"), mark + "日");
  EXPECT_EQ(decoded("\x1B$B\x46\xFF<\x1B(B<p>", "iso-2022-jp").find("<p>") != std::string::npos, true);
  // What Windows leaves open is a control character; zero bytes are none.
  EXPECT_EQ(decoded("a\x81z", "windows-1252"), "a\xC2\x81z");
  EXPECT_EQ(decoded("a\0\xE4"s, "iso-8859-1"), "a" + mark + "ä");
}

TEST(Charset, EveryEncodingOfTheStandardIsDecodedHere) {
  // U+0416 or another letter that is not at the same place anywhere else: read as UTF-8, it would be a mark.
  const Case cases[] = {
      {"ibm866", "\x86", "Ж"},
      {"iso-8859-2", "\xB1", "ą"},
      {"iso-8859-3", "\xA1", "Ħ"},
      {"iso-8859-4", "\xA2", "ĸ"},
      {"iso-8859-5", "\xB6", "Ж"},
      {"iso-8859-6", "\xC7", "ا"},
      {"iso-8859-7", "\xE1", "α"},
      {"iso-8859-8", "\xE0", "א"},
      {"iso-8859-8-i", "\xE0", "א"},
      {"iso-8859-10", "\xA2", "Ē"},
      {"iso-8859-13", "\xC0", "Ą"},
      {"iso-8859-14", "\xA1", "Ḃ"},
      {"iso-8859-15", "\xA4", "€"},
      {"iso-8859-16", "\xA4", "€"},
      {"koi8-r", "\xF6", "Ж"},
      {"koi8-u", "\xA4", "є"},
      {"macintosh", "\xDB", "€"},
      {"windows-874", "\xA1", "ก"},
      {"windows-1250", "\xB9", "ą"},
      {"windows-1251", "\xC6", "Ж"},
      {"windows-1252", "\x80", "€"},
      {"windows-1253", "\xE1", "α"},
      {"windows-1254", "\xF0", "ğ"},
      {"windows-1255", "\xE0", "א"},
      {"windows-1256", "\xC7", "ا"},
      {"windows-1257", "\xC0", "Ą"},
      {"windows-1258", "\xD0", "Đ"},
      {"x-mac-cyrillic", "\x86", "Ж"},
      {"x-user-defined", "\x80", "\xEF\x9E\x80"},
  };
  for (const auto& [charset, bytes, text] : cases) EXPECT_EQ(decoded(bytes, charset), text) << charset;
}

}  // namespace
}  // namespace quarry::test
