#pragma once
/// The patterns of a follow rule.

#include <boost/regex.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::crawl {

/// `*` for any text, or `re:` and a regular expression; see `job_config.hpp`. Thread-safe once it is made.
class UrlPattern {
 public:
  /// Throws `invalid`, naming the pattern and the position.
  explicit UrlPattern(std::string_view text);

  /// Throws `invalid` if a regular expression proves too costly: Boost.Regex counts its steps and gives up in bounded time.
  bool fits(std::string_view url) const;

 private:
  std::string text_;
  std::vector<std::string> pieces_;  ///< of a `*` pattern: the texts between the stars
  bool is_regex_ = false;
  boost::regex regex_;
};

}  // namespace quarry::crawl
