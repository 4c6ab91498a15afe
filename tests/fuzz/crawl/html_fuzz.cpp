/// The first byte picks a charset, the second a job's config; the rest is a page.
#include <array>
#include <boost/json/parse.hpp>
#include <string>

#include "fuzz/crawl/fuzz.hpp"
#include "quarry/core/utf8.hpp"
#include "quarry/crawl/extract.hpp"

namespace {

using namespace quarry::crawl;
using quarry::fuzz::demand;

constexpr std::array<std::string_view, 11> charsets = {"",       "utf-8",  "windows-1252", "shift_jis", "gb18030", "big5",
                                                       "euc-jp", "euc-kr", "iso-2022-jp",  "utf-16le",  "utf-16be"};

const std::array<JobConfig, 4>& configs() {
  static const std::array<JobConfig, 4> all = {
      parse_job_config(R"json({"fields": {"title": {"type": "text", "selector": "title"},
          "headings": {"type": "text", "selector": "h1, h2, h3", "multiple": true}}, "follow": {"scope": "any"}})json"),
      parse_job_config(R"json({"containerSelector": "tr, li:not(:first-child), div:has(> p)", "fields": {
          "all": {"type": "html"}, "link": {"type": "link", "selector": "a"}, "image": {"type": "image", "selector": "img"}},
          "follow": {"selector": "p ~ a[href*='/' i]", "include": ["*/*"], "exclude": ["re:x+y"]}})json"),
      parse_job_config(R"json({"containerSelector": "*", "fields": {
          "class": {"type": "attribute", "attribute": "class", "required": true},
          "nth": {"type": "text", "selector": ":nth-last-of-type(2n+1)", "multiple": true, "default": [1]}}})json"),
      parse_job_config(
          R"json({"containerSelector": "div div > p + p", "fields": {"text": {"type": "text", "required": true}},
          "request": {"obeyRobots": false}, "follow": {"scope": "prefix"}})json")};
  return all;
}

void check_text(std::string_view text) {
  demand(quarry::clean_prefix(text) == text.size(), "text is valid UTF-8 without NUL");
}

void ask(const html::Document& document, const JobConfig& config, const Url& page) {
  check_text(document.title());
  check_text(document.description());
  check_text(document.visible_text());
  check_text(document.visible_text(10));
  check_text(document.root().text());
  check_text(document.root().outer_html());
  for (const auto& heading : document.headings()) check_text(heading.text);
  for (const auto& link : document.links(page)) demand(Url::parse(link.url.text()) == link.url, "links are canonical");
  (void)document.canonical(page);
  (void)document.robots();
  const Extractor extractor(config, page);
  const auto extraction = extractor.items(document, page);
  check_text(extraction.json);
  demand(boost::json::parse(extraction.json).as_array().size() == extraction.items, "items are a JSON array of that length");
  for (const auto& url : extractor.links(document, page)) demand(extractor.admits(url), "only admitted links are followed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const html::ParseOptions options{.charset = charsets[data[0] % charsets.size()], .nodes_max = 5000, .depth_max = 100};
  const auto& config = configs()[data[1] % configs().size()];
  const auto text = quarry::fuzz::view(data + 2, size - 2);
  const auto page = Url::parse("http://example.org/a/b.html");
  html::Parser parser;
  const auto document = parser.parse(text, options);
  ask(document, config, page);
  const auto again = parser.parse(text, options);
  demand(again.root().outer_html() == document.root().outer_html(), "a parser that is used again gives the same");
  return 0;
}
