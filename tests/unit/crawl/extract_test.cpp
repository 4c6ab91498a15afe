#include "quarry/crawl/extract.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

const Url page = Url::parse("http://example.org/shop/list.html?p=1");

constexpr std::string_view shop = R"(<html><head><title>Shop</title></head><body>
<ul><li class=book data-id=1><h2>One &amp; "only"</h2><a href="one.html">more</a><img src=/1.png><span class=tag>x</span><span class=tag>y</span></li>
<li class=book data-id=2><h2> Two </h2><a href="mailto:a@b">mail</a><p class=price>5 &euro;</p></li>
<li class=book><h2></h2><a href="three.html">more</a></li></ul></body></html>)";

html::Document document_of(std::string_view text) { return html::Parser().parse(text); }

Extraction extract(std::string_view config, std::string_view text = shop, const ExtractLimits& limits = {}) {
  return Extractor(parse_job_config(config), page, limits).items(document_of(text), page);
}

TEST(Extract, GivesOneObjectForEachContainer) {
  const auto result = extract(R"({"containerSelector": "li.book", "fields": {
      "title": {"type": "text", "selector": "h2"},
      "price": {"type": "text", "selector": ".price", "default": "0"},
      "id": {"type": "attribute", "attribute": "data-id"},
      "page": {"type": "link", "selector": "a"},
      "cover": {"type": "image", "selector": "img"},
      "tags": {"type": "text", "selector": ".tag", "multiple": true},
      "raw": {"type": "html", "selector": "h2"}}})");
  EXPECT_EQ(
      result.json,
      R"([{"title":"One & \"only\"","price":"0","id":"1","page":"http://example.org/shop/one.html",)"
      R"("cover":"http://example.org/1.png","tags":["x","y"],"raw":"One &amp; \"only\""},)"
      R"({"title":"Two","price":"5 €","id":"2","page":null,"cover":null,"tags":[],"raw":" Two "},)"
      R"({"title":null,"price":"0","id":null,"page":"http://example.org/shop/three.html","cover":null,"tags":[],"raw":null}])");
  EXPECT_EQ(result.items, 3U);
  EXPECT_FALSE(result.truncated);
}

TEST(Extract, TakesThePageWithoutContainer) {
  const auto result = extract(R"({"fields": {"title": {"type": "text", "selector": "title"},
      "all": {"type": "text", "selector": "h2", "multiple": true}, "links": {"type": "link", "selector": "a", "multiple": true}}})");
  EXPECT_EQ(result.json, R"([{"title":"Shop","all":["One & \"only\"","Two"],)"
                         R"("links":["http://example.org/shop/one.html","http://example.org/shop/three.html"]}])");
  EXPECT_EQ(extract(R"({"fields": {"all": {"type": "text"}}})", "<p>a<p>b").json, R"([{"all":"a b"}])");
}

TEST(Extract, LeavesOutItemsWithoutWhatIsRequired) {
  const auto result = extract(R"({"containerSelector": "li", "fields": {
      "title": {"type": "text", "selector": "h2", "required": true}, "id": {"type": "attribute", "attribute": "data-id"}}})");
  EXPECT_EQ(result.json, R"([{"title":"One & \"only\"","id":"1"},{"title":"Two","id":"2"}])");
  EXPECT_EQ(result.items, 2U);
  EXPECT_EQ(result.incomplete, 1U);
  const auto none = extract(R"({"fields": {"x": {"type": "text", "selector": "nothing", "required": true}}})");
  EXPECT_EQ(none.json, "[]");
  EXPECT_EQ(none.incomplete, 1U);
}

TEST(Extract, FillsInDefaults) {
  EXPECT_EQ(extract(R"({"fields": {"a": {"type": "text", "selector": "q", "default": 5},
      "b": {"type": "text", "selector": "q", "multiple": true, "default": ["x"]},
      "c": {"type": "text", "selector": "q", "default": null},
      "d": {"type": "text", "selector": "title", "default": "unused"}}})")
                .json,
            R"([{"a":5,"b":["x"],"c":null,"d":"Shop"}])");
}

TEST(Extract, GivesNothingWithoutFields) {
  EXPECT_EQ(extract("{}").json, "[]");
  EXPECT_FALSE(Extractor(JobConfig{}).has_fields());
  EXPECT_EQ(extract(R"({"containerSelector": ".none", "fields": {"a": {"type": "text"}}})").json, "[]");
}

TEST(Extract, KeepsAnEmptyAttribute) {
  EXPECT_EQ(extract(R"({"containerSelector": "input", "fields": {"on": {"type": "attribute", "attribute": "CHECKED"}}})",
                    "<input checked><input>")
                .json,
            R"([{"on":""},{"on":null}])");
}

TEST(Extract, IsBounded) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "<p>0123456789</p>";
  constexpr std::string_view config = R"({"containerSelector": "p", "fields": {"a": {"type": "text"}}})";
  const auto few = extract(config, text, {.items_max = 10});
  EXPECT_EQ(few.items, 10U);
  EXPECT_TRUE(few.truncated);
  EXPECT_FALSE(extract(config, text, {.items_max = 1000}).truncated);
  const auto small = extract(config, text, {.bytes_max = 100});
  EXPECT_LE(small.json.size(), 100U);
  EXPECT_EQ(small.items, 5U);
  EXPECT_TRUE(small.truncated);
  EXPECT_EQ(small.json.back(), ']');

  std::string nested;
  for (int i = 0; i < 400; ++i) nested += "<div>";
  for (int i = 0; i < 100; ++i) nested += "<p>x</p>";
  constexpr std::string_view divs = R"({"containerSelector": "div", "fields": {"a": {"type": "text", "selector": "q"}}})";
  EXPECT_FALSE(extract(divs, nested).truncated);
  const auto costly = extract(divs, nested, {.steps_max = 5000});
  EXPECT_TRUE(costly.truncated);
  EXPECT_GT(costly.items, 0U);
  constexpr std::string_view markup =
      R"({"containerSelector": "div", "fields": {"a": {"type": "html", "selector": "*", "multiple": true}}})";
  const auto repeated = extract(markup, nested, {.bytes_max = 20'000});
  EXPECT_TRUE(repeated.truncated);
  EXPECT_LE(repeated.json.size(), 20'000U);
}

std::string links(std::string_view follow, std::string_view text, std::string_view rest = "") {
  const auto config = parse_job_config("{\"follow\": " + std::string(follow) + std::string(rest) + "}");
  std::string out;
  for (const auto& url : Extractor(config, page).links(document_of(text), page))
    out += (out.empty() ? "" : " ") + url.text();
  return out;
}

constexpr std::string_view linked =
    R"(<a href=a.html>1</a><a href="a.html#x">2</a><a href=/b>3</a><a href=../up/c rel="x nofollow">4</a>
<a href="https://example.org/shop/d">5</a><a href="http://other.example/e">6</a><a href="http://example.org:81/f">7</a>
<a href="javascript:x">8</a><map><area href=g.pdf></map><p class=next><a href=h>9</a></p><link href=i>)";

TEST(Links, FollowTheHostByDefault) {
  EXPECT_EQ(links("{}", linked),
            "http://example.org/shop/a.html http://example.org/b https://example.org/shop/d http://example.org/shop/g.pdf "
            "http://example.org/shop/h");
}

TEST(Links, StayBelowAPrefix) {
  EXPECT_EQ(
      links(R"({"scope": "prefix"})", linked),
      "http://example.org/shop/a.html https://example.org/shop/d http://example.org/shop/g.pdf http://example.org/shop/h");
}

TEST(Links, GoAnywhereIfTold) {
  const auto all = links(R"({"scope": "any"})", linked);
  EXPECT_NE(all.find("http://other.example/e"), std::string::npos);
  EXPECT_NE(all.find("http://example.org:81/f"), std::string::npos);
}

TEST(Links, ObeySelectorAndPatterns) {
  EXPECT_EQ(links(R"({"selector": ".next a"})", linked), "http://example.org/shop/h");
  EXPECT_EQ(links(R"({"exclude": ["*.pdf", "re:^https:"]})", linked),
            "http://example.org/shop/a.html http://example.org/b http://example.org/shop/h");
  EXPECT_EQ(links(R"({"include": ["*/shop/*"], "exclude": ["*.pdf"]})", linked),
            "http://example.org/shop/a.html https://example.org/shop/d http://example.org/shop/h");
}

TEST(Links, ObeyRobotsUnlessTold) {
  const std::string page_says_no = "<meta name=robots content=nofollow>" + std::string(linked);
  EXPECT_EQ(links("{}", page_says_no), "");
  const auto all = links("{}", page_says_no, R"(, "request": {"obeyRobots": false})");
  EXPECT_NE(all.find("/up/c"), std::string::npos);
  EXPECT_EQ(links("{}", linked).find("/up/c"), std::string::npos);
}

TEST(Links, ComeFromTheBase) { EXPECT_EQ(links("{}", "<base href=/else/><a href=x>"), "http://example.org/else/x"); }

TEST(Links, NeedToKnowWhereTheCrawlBegan) {
  EXPECT_THROW(Extractor(parse_job_config(R"({"follow": {}})")), Error);
  EXPECT_TRUE(Extractor(parse_job_config(R"({"follow": {}, "targetUrl": "http://a/b/c"})")).follows());
  EXPECT_FALSE(Extractor(JobConfig{}).follows());
}

TEST(Links, AdmitSaysTheSameOfARedirect) {
  const Extractor extractor(parse_job_config(R"({"follow": {"scope": "prefix", "exclude": ["*private*"]}})"), page);
  EXPECT_TRUE(extractor.admits(Url::parse("https://example.org/shop/x")));
  EXPECT_FALSE(extractor.admits(Url::parse("https://example.org/shop/private/x")));
  EXPECT_FALSE(extractor.admits(Url::parse("https://example.org/")));
  EXPECT_FALSE(extractor.admits(Url::parse("https://evil.example/shop/")));
}

}  // namespace
}  // namespace quarry::crawl
