#include "quarry/crawl/job_config.hpp"

#include <gtest/gtest.h>

#include "crawl/web/url_pattern.hpp"
#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

constexpr std::string_view whole = R"({
  "schemaVersion": 2,
  "targetUrl": "https://Example.org/books",
  "containerSelector": "li.book",
  "fields": {
    "title": {"type": "text", "selector": "h2", "required": true},
    "price": {"type": "text", "selector": ".price", "default": "0"},
    "isbn": {"type": "attribute", "selector": "[data-isbn]", "attribute": "Data-Isbn"},
    "tags": {"type": "text", "selector": ".tag", "multiple": true, "default": ["none", 1, null]},
    "page": {"type": "link"},
    "cover": {"type": "image", "selector": "img", "attribute": "data-src"},
    "body": {"type": "html"}
  },
  "follow": {"selector": "a.next", "scope": "prefix", "maxDepth": 3, "maxPages": 50,
             "include": ["*/books/*"], "exclude": ["re:\\.pdf$"]},
  "request": {"timeoutMs": 5000, "maxBytes": 2048, "delayMs": 0, "obeyRobots": false, "userAgent": "mine/1",
              "headers": {"Accept-Language": "de", "X-Key": "a b"}}
})";

TEST(JobConfig, ReadsEverything) {
  const auto config = parse_job_config(whole);
  EXPECT_EQ(config.target_url->text(), "https://example.org/books");
  EXPECT_EQ(config.container_selector, "li.book");
  ASSERT_EQ(config.fields.size(), 7U);
  EXPECT_EQ(config.fields[0], (FieldConfig{"title", FieldType::text, "h2", "", false, true, {}}));
  EXPECT_EQ(config.fields[1].default_json, "\"0\"");
  EXPECT_EQ(config.fields[2].attribute, "data-isbn") << "HTML's attribute names are lower case";
  EXPECT_EQ(config.fields[3].default_json, "[\"none\",1,null]");
  EXPECT_EQ(config.fields[4], (FieldConfig{"page", FieldType::link, "", "", false, false, {}}));
  EXPECT_EQ(config.fields[6].name, "body") << "fields keep their order";
  ASSERT_TRUE(config.follow);
  EXPECT_EQ(*config.follow, (FollowConfig{"a.next", FollowScope::prefix, 3, 50, {"*/books/*"}, {"re:\\.pdf$"}}));
  EXPECT_EQ(config.request, (RequestConfig{5000, 2048, 0, false, "mine/1", {{"Accept-Language", "de"}, {"X-Key", "a b"}}}));
}

TEST(JobConfig, ReadsTheDocumentedExampleOfSelextract) {
  const auto config = parse_job_config(R"({"targetUrl": "https://example.com", "containerSelector": ".product",
      "fields": {"title": {"type": "text", "selector": "h2"}, "price": {"type": "text", "selector": ".price"}}})");
  EXPECT_EQ(config.fields.size(), 2U);
  EXPECT_FALSE(config.follow);
}

TEST(JobConfig, HasDefaults) {
  EXPECT_EQ(parse_job_config("{}"), JobConfig{});
  EXPECT_EQ(*parse_job_config(R"({"follow": {}})").follow, FollowConfig{});
  EXPECT_EQ(parse_job_config(" {\"request\": {}} \n").request, RequestConfig{});
}

TEST(JobConfig, ReadsBackWhatItWrites) {
  for (const auto& text : {std::string(whole), std::string("{}"), std::string(R"({"follow":{}})"),
                           std::string(R"({"fields":{"ü \" .":{"type":"html","default":null}}})")}) {
    const auto config = parse_job_config(text);
    EXPECT_EQ(parse_job_config(to_json(config)), config) << to_json(config);
  }
  EXPECT_EQ(to_json(JobConfig{}),
            R"({"schemaVersion":2,"fields":{},"request":{"timeoutMs":30000,"maxBytes":8388608,"obeyRobots":true}})");
}

struct Wrong {
  const char* text;
  const char* wanted;  ///< the path and a part of the reason
};

TEST(JobConfig, NamesThePathOfWhatIsWrong) {
  constexpr Wrong cases[] = {
      {"", "cannot be read at byte 1"},
      {"[]", "$: an array where an object is wanted"},
      {"{\"a\": 1,}", "cannot be read at byte 9"},
      {"{} x", "cannot be read at byte"},
      {"{\"fields\": {}, \"fields\": {}}", "'fields' twice"},
      {"{\"targetUrl\": \"http://a/\\u0000\"}", "\\u0000"},
      {"{\"targetUrl\": \"\xFF\"}", "cannot be read"},
      {R"({"schemaVersion": 2, "url": "x"})",
       "$.url: this key is not known; possible are schemaVersion, targetUrl, containerSelector"},
      {R"({"schemaVersion": 3})", "$.schemaVersion: 3 is newer than this program"},
      {R"({"schemaVersion": 0})", "$.schemaVersion: a whole number from 1"},
      {R"({"schemaVersion": "1"})", "$.schemaVersion: a string where a whole number is wanted"},
      {R"({"targetUrl": 5})", "$.targetUrl: a number where a string is wanted"},
      {R"({"targetUrl": "ftp://x/"})", "$.targetUrl: 'ftp://x/': only http and https"},
      {R"({"containerSelector": "li["})", "$.containerSelector: selector 'li[', position 4"},
      {R"({"fields": []})", "$.fields: an array where an object is wanted"},
      {R"({"fields": {"": {"type": "text"}}})", "$.fields: a field's name has 1 to 100 bytes"},
      {R"({"fields": {"a": "text"}})", "$.fields.a: a string where an object is wanted"},
      {R"({"fields": {"a": {}}})", "$.fields.a.type: this key is missing; possible are text, attribute, link, image, html"},
      {R"({"fields": {"my a": {"type": "txt"}}})",
       "$.fields[\"my a\"].type: 'txt' is not possible; possible are text, attribute"},
      {R"({"fields": {"a": {"type": "text", "selektor": "x"}}})",
       "$.fields.a.selektor: this key is not known; possible are type, selector"},
      {R"({"fields": {"a": {"type": "text", "selector": ">"}}})", "$.fields.a.selector: selector '>', position 1"},
      {R"({"fields": {"a": {"type": "attribute"}}})", "$.fields.a.attribute: name the attribute"},
      {R"({"fields": {"a": {"type": "text", "attribute": "x"}}})", "$.fields.a.attribute: only fields of type attribute"},
      {R"({"fields": {"a": {"type": "text", "multiple": 1}}})",
       "$.fields.a.multiple: a number where true or false is wanted"},
      {R"({"fields": {"a": {"type": "text", "required": true, "default": "x"}}})", "$.fields.a.default: a required field"},
      {R"({"fields": {"a": {"type": "text", "default": {}}}})", "$.fields.a.default: an object where"},
      {R"({"fields": {"a": {"type": "text", "default": []}}})", "$.fields.a.default: an array is wanted for 'multiple'"},
      {R"({"fields": {"a": {"type": "text", "multiple": true, "default": "x"}}})", "$.fields.a.default: an array is wanted"},
      {R"({"fields": {"a": {"type": "text", "multiple": true, "default": [[]]}}})",
       "$.fields.a.default: an array of strings"},
      {R"({"follow": true})", "$.follow: true or false where an object is wanted"},
      {R"({"follow": {"scope": "domain"}})", "$.follow.scope: 'domain' is not possible; possible are host, prefix, any"},
      {R"({"follow": {"maxDepth": -1}})", "$.follow.maxDepth: a whole number from 0 to 1000"},
      {R"({"follow": {"maxPages": 0}})", "$.follow.maxPages: a whole number from 1"},
      {R"({"follow": {"maxPages": 1.5}})", "$.follow.maxPages: a whole number"},
      {R"({"follow": {"maxPages": 99999999999999999999}})", "$.follow.maxPages: a whole number"},
      {R"({"follow": {"include": "x"}})", "$.follow.include: a string where an array of strings is wanted"},
      {R"({"follow": {"include": ["x", 1]}})", "$.follow.include: entry 2 is a number"},
      {R"({"follow": {"exclude": ["re:("]}})", "$.follow.exclude: pattern 're:(', position"},
      {R"({"follow": {"exclude": [""]}})", "$.follow.exclude: a pattern is empty"},
      {R"({"request": {"timeoutMs": 99}})", "$.request.timeoutMs: a whole number from 100 to 300000"},
      {R"({"request": {"maxBytes": 1}})", "$.request.maxBytes: a whole number from 1024"},
      {R"({"request": {"delayMs": 86400001}})", "$.request.delayMs: a whole number from 0 to 86400000"},
      {R"({"request": {"obeyRobots": "no"}})", "$.request.obeyRobots: a string where true or false"},
      {R"({"request": {"userAgent": "a\nb"}})", "$.request.userAgent: it must have no control characters"},
      {R"({"request": {"headers": {"X-A": "a\r\nHost: b"}}})", "$.request.headers.X-A: a header's value"},
      {R"({"request": {"headers": {"X A": "a"}}})", "$.request.headers[\"X A\"]: this is no name of a header"},
      {R"({"request": {"headers": {"Host": "a"}}})", "$.request.headers.Host: this header is written by the crawler"},
      {R"({"request": {"headers": {"Proxy-Authorization": "a"}}})", "$.request.headers.Proxy-Authorization: this header"},
      {R"({"request": {"headers": {"X-A": 1}}})", "$.request.headers.X-A: a number where a string"},
  };
  for (const auto& [text, wanted] : cases) {
    try {
      parse_job_config(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_NE(error.client_message().find(wanted), std::string::npos) << error.client_message();
    }
  }
}

TEST(JobConfig, IsBounded) {
  const auto refused = [](const std::string& text, std::string_view wanted) {
    try {
      parse_job_config(text);
      ADD_FAILURE() << "accepted where '" << wanted << "' was expected";
    } catch (const Error& error) {
      EXPECT_NE(error.client_message().find(wanted), std::string::npos) << error.client_message();
    }
  };
  refused("{}" + std::string(limits::config_bytes_max, ' '), "bytes long");
  refused(std::string(1000, '[') + std::string(1000, ']'), "cannot be read");
  std::string fields;
  for (std::size_t i = 0; i <= limits::fields_max; ++i)
    fields += (i ? ",\"f" : "\"f") + std::to_string(i) + R"(":{"type":"text"})";
  refused("{\"fields\": {" + fields + "}}", "at most 50");
  std::string headers;
  for (std::size_t i = 0; i <= limits::headers_max; ++i) headers += (i ? ",\"h" : "\"h") + std::to_string(i) + R"(":"x")";
  refused("{\"request\": {\"headers\": {" + headers + "}}}", "at most 20");
  std::string patterns = "\"x\"";
  for (std::size_t i = 0; i < limits::patterns_max; ++i) patterns += ",\"x\"";
  refused("{\"follow\": {\"include\": [" + patterns + "]}}", "at most 50");
  refused("{\"follow\": {\"include\": [\"" + std::string(501, 'x') + "\"]}}", "longer than 500");
  refused("{\"containerSelector\": \"" + std::string(1025, 'x') + "\"}", "at most 1024");
  refused("{\"request\": {\"userAgent\": \"" + std::string(257, 'x') + "\"}}", "at most 256");
}

TEST(UrlPattern, StarsFitAnyText) {
  EXPECT_TRUE(UrlPattern("*").fits("http://a/"));
  EXPECT_TRUE(UrlPattern("http://a/").fits("http://a/"));
  EXPECT_FALSE(UrlPattern("http://a").fits("http://a/"));
  EXPECT_TRUE(UrlPattern("http://a/*").fits("http://a/"));
  EXPECT_TRUE(UrlPattern("*/b/*.html").fits("http://a/b/c/d.html"));
  EXPECT_FALSE(UrlPattern("*/b/*.html").fits("http://a/b/c/d.html?x"));
  EXPECT_TRUE(UrlPattern("*?x=*").fits("http://a/?x=1"));
  EXPECT_FALSE(UrlPattern("*?x=*").fits("http://a/yx=1")) << "only the star is special";
  EXPECT_FALSE(UrlPattern("ab*ba").fits("aba")) << "ends do not overlap";
  EXPECT_TRUE(UrlPattern("ab*ba").fits("abba"));
  EXPECT_TRUE(UrlPattern("a*b*b").fits("axbxb"));
  EXPECT_FALSE(UrlPattern("a*b*b").fits("axb"));
  EXPECT_TRUE(UrlPattern("**a**").fits("xax"));
}

TEST(UrlPattern, RegularExpressionsAreSearchedForInBoundedTime) {
  EXPECT_TRUE(UrlPattern("re:\\.(pdf|zip)$").fits("http://a/b.zip"));
  EXPECT_FALSE(UrlPattern("re:\\.(pdf|zip)$").fits("http://a/b.zip?x"));
  EXPECT_TRUE(UrlPattern("re:/\\d{4}/").fits("http://a/2024/x"));
  try {
    (void)UrlPattern("re:^(a+)+$").fits("http" + std::string(5000, 'a'));
    (void)UrlPattern("re:(a|a|a|b)*c(a|a|a|b)*d").fits(std::string(200, 'a'));
    SUCCEED();  // fast enough to answer is as good as giving up
  } catch (const Error& error) {
    EXPECT_NE(error.client_message().find("too many steps"), std::string::npos);
  }
}

}  // namespace
}  // namespace quarry::crawl
