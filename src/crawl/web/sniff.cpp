#include "crawl/web/sniff.hpp"

#include <algorithm>

#include "crawl/web/words.hpp"

namespace quarry::crawl {
namespace {

constexpr std::string_view beginnings[] = {
    "<!doctype html", "<html", "<head",  "<script", "<iframe", "<h1",   "<div", "<font",
    "<table",         "<a",    "<style", "<title",  "<b",      "<body", "<br",  "<p"};

}  // namespace

bool looks_like_html(std::string_view body) noexcept {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  body.remove_prefix(std::min(body.find_first_not_of("\t\n\f\r "), body.size()));
  if (body.starts_with("<!--")) return true;
  return std::ranges::any_of(beginnings, [&](std::string_view tag) {
    if (body.size() <= tag.size() || !same_word(body.substr(0, tag.size()), tag)) return false;
    return body[tag.size()] == ' ' || body[tag.size()] == '>';
  });
}

}  // namespace quarry::crawl
