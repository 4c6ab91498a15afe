#include "crawl/web/url_pattern.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

constexpr std::string_view regex_prefix = "re:";

std::vector<std::string> split_at_stars(std::string_view text) {
  std::vector<std::string> pieces;
  for (;;) {
    const auto star = text.find('*');
    pieces.emplace_back(text.substr(0, star));
    if (star == std::string_view::npos) return pieces;
    text.remove_prefix(star + 1);
  }
}

}  // namespace

UrlPattern::UrlPattern(std::string_view text) : text_(text), is_regex_(text.substr(0, regex_prefix.size()) == regex_prefix) {
  if (text.empty()) throw_invalid("a pattern is empty; '*' fits every URL");
  if (!is_regex_) {
    pieces_ = split_at_stars(text);
    return;
  }
  try {
    regex_.assign(text_.substr(regex_prefix.size()), boost::regex::perl);
  } catch (const boost::regex_error& error) {
    const auto position = static_cast<std::size_t>(error.position()) + regex_prefix.size() + 1;
    throw_invalid(fmt::format("pattern '{}', position {}: it is no regular expression: {}", text, position,
                              boost::regex_traits<char>().error_string(error.code())));
  }
}

bool UrlPattern::fits(std::string_view url) const {
  if (is_regex_) {
    try {
      return boost::regex_search(url.begin(), url.end(), regex_);
    } catch (const std::runtime_error&) {
      throw_invalid(fmt::format("pattern '{}' takes too many steps: write it without nested repetition", text_));
    }
  }
  // The first piece is at the beginning, the last at the end, and each of the others at the first place after the one
  // before.
  const auto& first = pieces_.front();
  const auto& last = pieces_.back();
  if (pieces_.size() == 1) return url == first;
  if (url.substr(0, first.size()) != first || url.size() < first.size() + last.size()) return false;
  if (url.substr(url.size() - last.size()) != last) return false;
  url = url.substr(0, url.size() - last.size());
  std::size_t at = first.size();
  for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
    const auto found = url.find(pieces_[i], at);
    if (found == std::string_view::npos) return false;
    at = found + pieces_[i].size();
  }
  return true;
}

}  // namespace quarry::crawl
