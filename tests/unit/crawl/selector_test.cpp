#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "quarry/crawl/html.hpp"

namespace quarry::crawl::html {
namespace {

constexpr std::string_view markup = R"(<html><body id=body>
<div id=d1 class="box big"><p id=p1 class=a>One</p><p id=p2>Two <b id=b1>bold</b></p><span id=s1></span></div>
<div id=d2 class=box lang=en-US data-x="a b c"><ul id=u><li id=l1>1<li id=l2 class="a B">2<li id=l3>3<li id=l4>4<li id=l5>5</ul>
<div id=d3><p id=p3>Three</p><div id=d4><p id=p4 title="He said &quot;hi&quot;">Four</p></div></div></div>
<a id=x1 href="http://example.org/a.pdf">x</a><a id=x2 href="/b.html" rel=nofollow>y</a><i id="1st">z</i><i id="a:b">w</i>
</body></html>)";

/// The ids that a selector finds, in order.
std::string ids(std::string_view selector, std::string_view scope = {}) {
  static const auto document = Parser().parse(markup);
  const auto from = scope.empty() ? document.root() : *Selector::compile(scope).first(document.root());
  std::string out;
  for (const auto& node : Selector::compile(selector).all(from)) {
    if (!out.empty()) out += ' ';
    out += node.attribute("id").value_or(node.name());
  }
  return out;
}

struct Case {
  const char* selector;
  const char* wanted;
};

TEST(Selector, FindsElements) {
  constexpr Case cases[] = {
      {"p", "p1 p2 p3 p4"},
      {"P", "p1 p2 p3 p4"},
      {"*#p1", "p1"},
      {"#p1.a", "p1"},
      {".a", "p1 l2"},
      {".A", ""},
      {".box.big", "d1"},
      {"div.box", "d1 d2"},
      {"div p", "p1 p2 p3 p4"},
      {"div div p", "p3 p4"},
      {"div > p", "p1 p2 p3 p4"},
      {"div>div>p", "p3 p4"},
      {"body > div > p", "p1 p2"},
      {"div div div p, #d1 b", "b1 p4"},
      {"p + p", "p2"},
      {"p + span", "s1"},
      {"p ~ span", "s1"},
      {"ul ~ div p", "p3 p4"},
      {"#l1 ~ li", "l2 l3 l4 l5"},
      {"#l1 + li + li", "l3"},
      {"p, li.a , b", "p1 p2 b1 l2 p3 p4"},
      {"nothing", ""},
      {"html > body > div.box > ul > li", "l1 l2 l3 l4 l5"},
      {"\\31 st", ""},
      {"#\\31 st", "1st"},
      {"#a\\:b", "a:b"},
      {"body *:not(div):not(li):not(p)", "b1 s1 u x1 x2 1st a:b"},
  };
  for (const auto& [selector, wanted] : cases) EXPECT_EQ(ids(selector), wanted) << selector;
}

TEST(Selector, TestsAttributes) {
  constexpr Case cases[] = {
      {"[href]", "x1 x2"},
      {"a[HREF]", "x1 x2"},
      {"[rel=nofollow]", "x2"},
      {"[rel='no']", ""},
      {"[rel=NOFOLLOW]", ""},
      {"[rel=NOFOLLOW i]", "x2"},
      {"[rel='NOFOLLOW' I ]", "x2"},
      {"[class~=big]", "d1"},
      {"[class~='box big']", ""},
      {"[data-x~=b]", "d2"},
      {"[lang|=en]", "d2"},
      {"[lang|=e]", ""},
      {"[href^='http']", "x1"},
      {"[href$='.pdf']", "x1"},
      {"[href*=b]", "x2"},
      {"[href*='']", ""},
      {"[href^='']", ""},
      {"[ href = '/b.html' ]", "x2"},
      {"[title=\"He said \\\"hi\\\"\"]", "p4"},
      {"[id='a:b']", "a:b"},
      {"[href=/b.html]", "x2"},
      {"a[href]:not([rel])", "x1"},
      {"[href$='.PDF' i]", "x1"},
      {"[class~=B]", "l2"},
      {"[href*='EXAMPLE' i]", "x1"},
  };
  for (const auto& [selector, wanted] : cases) EXPECT_EQ(ids(selector), wanted) << selector;
}

TEST(Selector, TestsPositions) {
  constexpr Case cases[] = {
      {"li:first-child", "l1"},
      {"li:last-child", "l5"},
      {"p:only-child", "p4"},
      {"li:nth-child(2)", "l2"},
      {"li:nth-child(odd)", "l1 l3 l5"},
      {"li:nth-child(EVEN)", "l2 l4"},
      {"li:nth-child(2n+1)", "l1 l3 l5"},
      {"li:nth-child( 2n + 1 )", "l1 l3 l5"},
      {"li:nth-child(-n+2)", "l1 l2"},
      {"li:nth-child(n+4)", "l4 l5"},
      {"li:nth-child(3n-1)", "l2 l5"},
      {"li:nth-child(-2n+4)", "l2 l4"},
      {"li:nth-child(n)", "l1 l2 l3 l4 l5"},
      {"li:nth-child(0n+3)", "l3"},
      {"li:nth-child(+3)", "l3"},
      {"li:nth-child(-1)", ""},
      {"li:nth-last-child(1)", "l5"},
      {"li:nth-last-child(-n+2)", "l4 l5"},
      {"span:nth-child(3)", "s1"},
      {"span:nth-of-type(1)", "s1"},
      {"div:nth-of-type(2)", "d2"},
      {"div:first-of-type", "d1 d3 d4"},
      {"div:last-of-type", "d2 d3 d4"},
      {"div:only-of-type", "d3 d4"},
      {"a:nth-last-of-type(2)", "x1"},
      {":root", "html"},
      {"html:nth-child(1) > body:last-child", "body"},
      {"span:empty, p:empty", "s1"},
  };
  for (const auto& [selector, wanted] : cases) EXPECT_EQ(ids(selector), wanted) << selector;
}

TEST(Selector, CombinesConditions) {
  constexpr Case cases[] = {
      {"p:not(.a)", "p2 p3 p4"},
      {"p:not(.a, #p3)", "p2 p4"},
      {"li:not(:first-child):not(:last-child)", "l2 l3 l4"},
      {":is(ul, b)", "b1 u"},
      {"div:is(.big, [lang])", "d1 d2"},
      {"div:where(:not(.box)) > p", "p3 p4"},
      {"div:has(b)", "d1"},
      {"div:has(> p)", "d1 d3 d4"},
      {"div:has(> ul)", "d2"},
      {"p:has(+ span)", "p2"},
      {"p:has(~ span)", "p1 p2"},
      {"li:has(~ .a)", "l1"},
      {"div:not(:has(p))", ""},
      {"body > :not(:has(p))", "x1 x2 1st a:b"},
      {"div:has(:not(.a):has(b))", "d1"},
      {"p:contains('Three')", "p3"},
      {"div:contains(\"Four\")", "d2 d3 d4"},
      {"p:contains('three')", ""},
      {"p:has(b:contains('bold'))", "p2"},
  };
  for (const auto& [selector, wanted] : cases) EXPECT_EQ(ids(selector), wanted) << selector;
}

TEST(Selector, StaysInItsScope) {
  EXPECT_EQ(ids("p", "#d3"), "p3 p4");
  EXPECT_EQ(ids("div p", "#d3"), "p3 p4") << "the scope counts as an ancestor";
  EXPECT_EQ(ids("#d3 > p", "#d3"), "p3");
  EXPECT_EQ(ids("#d2 p", "#d3"), "") << "what is above does not";
  EXPECT_EQ(ids("body p", "#d3"), "");
  EXPECT_EQ(ids(":scope", "#d3"), "d3");
  EXPECT_EQ(ids(":scope > p", "#d3"), "p3");
  EXPECT_EQ(ids("div", "#d3"), "d4") << "the scope is no result";
  EXPECT_EQ(ids("div:scope, p", "#d3"), "d3 p3 p4");
  EXPECT_EQ(ids(":first-child", "#u"), "l1");
  EXPECT_EQ(ids("ul:first-child > li:last-child", "#u"), "l5") << "the scope stands alone";
  EXPECT_EQ(ids(":scope > html"), "html") << "of the document too";
}

TEST(Selector, GivesEachNodeOnceInDocumentOrder) {
  std::string nested;
  for (int i = 0; i < 100; ++i) nested += "<div>";
  const auto document = Parser().parse(nested + "<p id=a></p><p id=b></p>");
  EXPECT_EQ(Selector::compile("div div p, div > div p, p, div p").all(document.root()).size(), 2U);
  EXPECT_EQ(Selector::compile("div > div div > div div > div p").all(document.root()).size(), 2U);
  EXPECT_EQ(Selector::compile("p").all(document.root(), 1).size(), 1U);
  EXPECT_EQ(Selector::compile("p").all(document.root(), 0).size(), 0U);
  EXPECT_EQ(Selector::compile("p").first(document.root())->attribute("id"), "a");
  EXPECT_FALSE(Selector::compile("q").first(document.root()));
}

struct Wrong {
  const char* selector;
  std::size_t position;
  const char* wanted;
};

TEST(Selector, NamesWhatIsWrongAndWhere) {
  constexpr Wrong cases[] = {
      {"", 1, "missing"},
      {"   ", 4, "missing"},
      {"div >", 6, "missing"},
      {"div > > p", 7, "wanted"},
      {"> p", 1, "wanted"},
      {"div,", 5, "missing"},
      {", div", 1, "wanted"},
      {"div $x", 5, "wanted"},
      {"div$x", 4, "belongs to no selector"},
      {"a[", 3, "attribute's name"},
      {"a[href", 7, "= ~="},
      {"a['href']", 3, "attribute's name"},
      {"a[href=]", 8, "value"},
      {"a[href='x]", 8, "not closed"},
      {"a[href='x' q]", 12, "']' is missing"},
      {"a[href!='x']", 7, "= ~="},
      {"span[itemprop='example", 15, "not closed"},
      {"#", 2, "an id"},
      {".1a", 2, "a class"},
      {"a:", 3, "pseudo-class"},
      {"a:hover", 2, "':hover' is not supported"},
      {"a::text", 2, "pseudo-elements"},
      {"a:nth-child()", 13, "a number"},
      {"a:nth-child(x)", 13, "a number"},
      {"a:nth-child(2n+)", 16, "a number is missing"},
      {"a:nth-child(99999999)", 13, "above 1000000"},
      {"a:not(", 7, "missing"},
      {"a:not(b", 8, "')' is missing"},
      {"a:not(b c)", 9, "no combinators"},
      {"a:has(b c)", 9, "one compound"},
      {"a:contains(x)", 12, "quotes"},
      {"a:contains('')", 12, "empty"},
      {"a:unknown(x)", 2, "':unknown()' is not supported"},
      {"svg|a", 4, "namespaces"},
      {"a)", 2, "belongs to no selector"},
      {"a\\", 3, "escape"},
      {"a\xFF", 2, "UTF-8"},
      {":not(:not(:not(:not(:not(a)))))", 21, "levels"},
  };
  for (const auto& [selector, position, wanted] : cases) {
    try {
      Selector::compile(selector);
      ADD_FAILURE() << selector << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_NE(error.client_message().find(wanted), std::string::npos) << error.client_message();
      EXPECT_NE(error.client_message().find("position " + std::to_string(position) + ":"), std::string::npos)
          << error.client_message();
      EXPECT_NE(error.client_message().find('\'' + std::string(selector) + '\''), std::string::npos)
          << error.client_message();
    }
  }
}

TEST(Selector, IsBounded) {
  std::string many = "a";
  for (int i = 0; i < 63; ++i) many += " a";
  EXPECT_NO_THROW(Selector::compile(many));
  EXPECT_THROW(Selector::compile(many + " a"), Error);
  EXPECT_THROW(Selector::compile(std::string(1025, 'a')), Error);
  // The last of 64 compounds uses the highest bit.
  std::string nested;
  for (int i = 0; i < 70; ++i) nested += "<a1>";
  std::string chain = "a1";
  for (int i = 0; i < 63; ++i) chain += ">a1";
  EXPECT_EQ(Selector::compile(chain).all(Parser().parse(nested).root()).size(), 70U - 63U);
}

}  // namespace
}  // namespace quarry::crawl::html
