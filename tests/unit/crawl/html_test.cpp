#include "quarry/crawl/html.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

#include "quarry/core/utf8.hpp"

namespace quarry::crawl::html {
namespace {

Document parse(std::string_view text, const ParseOptions& options = {}) { return Parser().parse(text, options); }

const Url page = Url::parse("http://example.org/docs/page.html");

TEST(Html, MakesATreeOfAnything) {
  EXPECT_EQ(parse("").root().inner_html(), "<html><head></head><body></body></html>");
  EXPECT_EQ(parse("x").root().inner_html(), "<html><head></head><body>x</body></html>");
  EXPECT_EQ(parse("<p>a<p>b").root().inner_html(), "<html><head></head><body><p>a</p><p>b</p></body></html>");
  EXPECT_EQ(parse("<table><tr><td>1</table>").root().inner_html(),
            "<html><head></head><body><table><tbody><tr><td>1</td></tr></tbody></table></body></html>");
  EXPECT_EQ(parse("<b>a<i>b</b>c</i>").root().inner_html(),
            "<html><head></head><body><b>a<i>b</i></b><i>c</i></body></html>");
  EXPECT_EQ(parse("<!DOCTYPE html><!-- c --><title>t</title>").root().inner_html(),
            "<html><head><title>t</title></head><body></body></html>");
}

TEST(Html, WritesMarkupThatReadsBackTheSame) {
  const auto document =
      parse("<p id='a\"b' data-x=\"1&amp;2\">&lt;i&gt; &amp; &nbsp;<br><img src=x></p><script>a<b&&c</script>");
  const auto markup = document.root().inner_html();
  EXPECT_NE(markup.find("id=\"a&quot;b\" data-x=\"1&amp;2\""), std::string::npos) << markup;
  EXPECT_NE(markup.find("&lt;i&gt; &amp; &nbsp;<br><img src=\"x\"></p>"), std::string::npos) << markup;
  EXPECT_NE(markup.find("<script>a<b&&c</script>"), std::string::npos) << markup;
  EXPECT_EQ(parse(markup).root().inner_html(), markup);
}

TEST(Html, GivesTextAsOneLine) {
  const auto text = [](std::string_view markup) { return parse(markup).root().text(); };
  EXPECT_EQ(text("<p> a \n b </p>"), "a b");
  EXPECT_EQ(text("<p>a</p><p>b</p>"), "a b");
  EXPECT_EQ(text("a<b>b</b>c"), "abc");
  EXPECT_EQ(text("a <b> b</b>c"), "a bc");
  EXPECT_EQ(text("a<br>b"), "a b");
  EXPECT_EQ(text("<table><tr><td>1<td>2<tr><td>3</table>"), "1 2 3");
  EXPECT_EQ(text("a<script>var x;</script><style>p{}</style><template>t</template><noscript>n</noscript>b"), "ab");
  EXPECT_EQ(text("5&nbsp;&euro; &lt;b&gt; &#x41;&#0;"), "5\xC2\xA0\xE2\x82\xAC <b> A\xEF\xBF\xBD");
}

TEST(Html, GivesVisibleTextByBlocks) {
  const auto document = parse(
      "<html><head><title>T</title></head><body><h1>Head</h1><p>One <i>two</i>\nthree</p><ul><li>a</li><li>b</li></ul>"
      "<div hidden>no</div><pre>x\n  y</pre><script>no</script></body></html>");
  EXPECT_EQ(document.visible_text(), "Head\nOne two three\na\nb\nx y");
  EXPECT_EQ(document.visible_text(6), "Head\nO");
  EXPECT_EQ(parse("<p>\xC3\xA4\xC3\xA4").visible_text(3), "\xC3\xA4") << "characters are not cut in two";
}

TEST(Html, FindsWhatDescribesThePage) {
  const auto document = parse(
      "<head><title> The\n title </title><meta name=Description content='About it'>"
      "<meta name=robots content='NoIndex, follow'><meta name=ROBOTS content=nofollow>"
      "<link rel='alternate' href=/x><link rel='Canonical' href='/docs/one'></head>"
      "<body><svg><title>icon</title></svg><h1>One</h1><h3> Three <b>x</b></h3><h2></h2><h7>no</h7></body>");
  EXPECT_EQ(document.title(), "The title");
  EXPECT_EQ(document.description(), "About it");
  EXPECT_EQ(document.robots(), (RobotsDirectives{true, true}));
  EXPECT_EQ(document.canonical(page)->text(), "http://example.org/docs/one");
  EXPECT_EQ(document.headings(), (std::vector<Heading>{{1, "One"}, {3, "Three x"}}));
  const auto empty = parse("");
  EXPECT_EQ(empty.title(), "");
  EXPECT_EQ(empty.description(), "");
  EXPECT_EQ(empty.robots(), RobotsDirectives{});
  EXPECT_FALSE(empty.canonical(page));
  EXPECT_TRUE(empty.headings().empty());
}

TEST(Html, ReadsRobotsDirectives) {
  EXPECT_EQ(parse_robots_directives("none"), (RobotsDirectives{true, true}));
  EXPECT_EQ(parse_robots_directives("index,NOFOLLOW"), (RobotsDirectives{false, true}));
  EXPECT_EQ(parse_robots_directives("max-snippet:5, noindexing"), RobotsDirectives{});
}

TEST(Html, CollectsLinks) {
  const auto document = parse(
      "<a href='a.html'>A</a><a>none</a><a href='mailto:x@y'>m</a><a href='../b?c=1&amp;d#e' rel='noopener NOFOLLOW'>B</a>"
      "<map><area href=//other.example></map><a href=' /x y '>C</a><a href=http://:bad/>D</a><link href=/no>");
  std::vector<std::string> urls;
  for (const auto& link : document.links(page)) urls.push_back((link.nofollow ? "-" : "") + link.url.text());
  EXPECT_EQ(urls, (std::vector<std::string>{"http://example.org/docs/a.html", "-http://example.org/b?c=1&d",
                                            "http://other.example/", "http://example.org/x%20y"}));
  EXPECT_EQ(document.links(page)[1].node.text(), "B");
}

TEST(Html, ResolvesLinksAgainstTheFirstBase) {
  const auto document = parse("<base target=_top><base href='/other/'><base href='/third/'><a href=x>");
  EXPECT_EQ(document.base(page).text(), "http://example.org/other/");
  EXPECT_EQ(document.links(page)[0].url.text(), "http://example.org/other/x");
  EXPECT_EQ(parse("<base href='mailto:x'><a href=x>").base(page), page);
}

struct Encoded {
  const char* bytes;
  const char* charset;
  const char* encoding;
  const char* text;
};

TEST(Html, ReadsEncodings) {
  constexpr Encoded cases[] = {
      {"\xC3\xA4", "", "utf-8", "\xC3\xA4"},
      {"\xE4", "", "windows-1252", "\xC3\xA4"},
      {"\x80", "", "windows-1252", "\xE2\x82\xAC"},
      {"\xE4", "ISO-8859-1", "windows-1252", "\xC3\xA4"},
      {"\xE4", "utf-8", "utf-8", "\xEF\xBF\xBD"},
      {"\xE4", "iso-8859-5", "iso-8859-5", "\xD1\x84"},
      {"\xE4", "\"koi8-r\"", "koi8-r", "\xD0\x94"},
      {"\xE4", "no-such", "windows-1252", "\xC3\xA4"},
      {"<meta charset=koi8-r>\xE4", "", "koi8-r", "\xD0\x94"},
      {"<META CHARSET='koi8-r'>\xE4", "", "koi8-r", "\xD0\x94"},
      {"<meta http-equiv=content-type content='text/html; charset = koi8-r'>\xE4", "", "koi8-r", "\xD0\x94"},
      {"<!-- <meta charset=utf-8> --><meta charset=koi8-r>\xE4", "", "koi8-r", "\xD0\x94"},
      {"<meta charset=koi8-r>\xE4", "iso-8859-5", "iso-8859-5", "\xD1\x84"},
      {"<meta charset=utf-16>\xC3\xA4", "", "utf-8", "\xC3\xA4"},
      {"\xEF\xBB\xBF\xC3\xA4", "koi8-r", "utf-8", "\xC3\xA4"},
      {"\x83\x65", "shift_jis", "shift_jis", "\xE3\x83\x86"},
      {"\xB0\xA1", "gb2312", "gbk", "\xE5\x95\x8A"},
      {"\xA4\xA4", "big5", "big5", "\xE4\xB8\xAD"},
      {"\xB0\xA1", "euc-kr", "euc-kr", "\xEA\xB0\x80"},
      {"\xA4\xA2", "euc-jp", "euc-jp", "\xE3\x81\x82"},
      {"\xED\xA0\x80", "utf-8", "utf-8", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const auto& [bytes, charset, encoding, text] : cases) {
    const auto document = parse(bytes, {.charset = charset});
    EXPECT_EQ(document.encoding(), encoding) << bytes;
    EXPECT_EQ(document.root().text(), text) << bytes;
  }
  const std::string utf16("\xFF\xFE<\0p\0>\0\xE4\0", 10);
  EXPECT_EQ(parse(utf16).root().text(), "\xC3\xA4");
  EXPECT_EQ(parse(utf16).encoding(), "utf-16le");
  EXPECT_EQ(parse(std::string("a\0b", 3)).root().text(),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Html, TextIsAlwaysValidUtf8) {
  std::string all(256, '\0');
  std::iota(all.begin(), all.end(), '\0');
  for (const char* charset : {"utf-8", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr", "iso-2022-jp", "utf-16be",
                              "utf-16le", "windows-1252", "x-user-defined"}) {
    const auto text = parse("<p title='" + all + all + "'>" + all + all, {.charset = charset}).root().outer_html();
    EXPECT_EQ(clean_prefix(text), text.size()) << charset;
  }
}

TEST(Html, CutsPagesAtTheLimits) {
  EXPECT_EQ(parse("<p>abcdef", {.bytes_max = 6}).root().text(), "abc");
  EXPECT_EQ(parse("<p>abcdef", {.bytes_max = 6}).limit_hit(), Limit::bytes);
  EXPECT_EQ(parse("<p>abcdef", {.bytes_max = 9}).limit_hit(), Limit::none);

  std::string wide = "<title>t</title>";
  for (int i = 0; i < 20'000; ++i) wide += "<p>x";
  const auto cut = parse(wide, {.nodes_max = 1000});
  EXPECT_EQ(cut.limit_hit(), Limit::nodes);
  EXPECT_EQ(cut.title(), "t");
  EXPECT_LE(cut.node_count(), 1100U);
  EXPECT_GE(cut.node_count(), 900U);
  EXPECT_EQ(parse(wide).limit_hit(), Limit::none);

  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<div>";
  const auto shallow = parse(deep + "x");
  EXPECT_EQ(shallow.limit_hit(), Limit::depth);
  EXPECT_LE(shallow.node_count(), 600U);
  std::string allowed;
  for (int i = 0; i < 400; ++i) allowed += "<div>";
  EXPECT_EQ(parse(allowed + "x").limit_hit(), Limit::none);
  EXPECT_EQ(parse(allowed + "x").root().text(), "x");
}

// Each of these takes quadratic time or memory, or deep recursion, somewhere in an unguarded parser.
TEST(Html, SurvivesPagesMadeToHurt) {
  const auto repeat = [](std::string_view part, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += part;
    return out;
  };
  std::string formatting;
  for (int i = 0; i < 5000; ++i) formatting += "<b id=" + std::to_string(i) + ">";
  std::string attributes = "<p ";
  for (int i = 0; i < 50'000; ++i) attributes += "a" + std::to_string(i) + "=1 ";
  const std::string pages[] = {"<p>" + formatting + repeat("<p>x", 20'000),
                               repeat("<a>", 50'000),
                               repeat("<b><p></b>", 20'000),
                               repeat("<table>", 20'000),
                               repeat("<table><tr><td>", 20'000),
                               repeat("<svg><foreignObject>", 20'000),
                               repeat("<math>", 50'000),
                               repeat("<template>", 50'000),
                               repeat("<select><option>", 20'000),
                               repeat("<form>", 50'000),
                               repeat("<button>", 50'000),
                               repeat("</p>", 100'000),
                               repeat("<!--", 100'000),
                               repeat("<![CDATA[", 50'000),
                               repeat("&", 500'000),
                               repeat("&amp", 100'000),
                               repeat("<li>", 100'000),
                               repeat("<dd><dt>", 50'000),
                               repeat("<ruby><rt>", 50'000),
                               repeat("<frameset>", 50'000),
                               repeat("<p><font size=1>", 30'000),
                               repeat("<a href=x><div>", 20'000),
                               repeat("<applet><b>", 20'000),
                               attributes + ">",
                               "<p title='" + std::string(1'000'000, 'x') + "'>",
                               repeat("<b title='" + std::string(200, 'x') + "'>", 90) + repeat("<p>", 20'000),
                               repeat("<x" + std::string(100, 'y') + ">", 5000),
                               "<plaintext>" + repeat("<p>", 100'000),
                               repeat("<script>", 50'000),
                               repeat("<title>", 50'000),
                               repeat("<noscript>", 50'000),
                               repeat("<h1><h2>", 50'000),
                               repeat("</br>", 50'000)};
  const auto selector = Selector::compile("p ~ p b:not(.x) > i, :has(> b) p:nth-last-of-type(3n+1), div div div div div");
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& text : pages) {
    const auto document = parse(text);
    EXPECT_LE(document.node_count(), 700'000U) << text.substr(0, 40);
    (void)document.title();
    (void)document.links(page);
    (void)document.visible_text();
    (void)selector.all(document.root());
  }
  // Not a measure of speed: unguarded, some of these take minutes and gigabytes.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(2));
}

TEST(Html, AParserCanBeUsedAgain) {
  Parser parser;
  const auto first = parser.parse("<title>one</title><p>1").root().inner_html();
  for (const char* text :
       {"<template><script>", "<table><td><svg>", "<p><b><i>", "\xFF\xFE", "<plaintext>", "<frameset>", "<!-- "})
    (void)parser.parse(text);
  std::string large;
  for (int i = 0; i < 300'000; ++i) large += "<p>x</p>";
  (void)parser.parse(large);
  EXPECT_EQ(parser.parse("<title>one</title><p>1").root().inner_html(), first);
}

TEST(Html, DocumentsOutliveTheirParserAndMove) {
  auto document = [] { return Parser().parse("<p id=a>x"); }();
  const auto node = *Selector::compile("p").first(document.root());
  const auto moved = std::move(document);
  EXPECT_EQ(node.text(), "x");
  EXPECT_EQ(node.parent()->name(), "body");
  EXPECT_FALSE(moved.root().parent());
}

}  // namespace
}  // namespace quarry::crawl::html
