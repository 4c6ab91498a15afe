#pragma once
/// robots.txt: may this crawler fetch this URL, and how fast (RFC 9309).
///
///     const auto robots = RobotsPolicy::from_response(200, body, "quarry");
///     if (!robots.allows(url)) ...
///
/// The group whose user-agent line names the crawler counts (product token, in any case; several such groups are one),
/// else the group of `*`, else everything is allowed. Of the rules that fit the URL's path and query the longest decides,
/// and `allow` against a `disallow` of the same length. `*` stands for any text, `$` at the end for the end. Rules and
/// URLs are compared after percent-encoding both the same way, so that `/%7Ea` and `/~a`, or `/ä` and `/%C3%A4`, are one.
/// `/robots.txt` itself is always allowed.
///
/// Of a file, 500 KiB are read (RFC 9309, 2.5 demands as much); a line that they cut is dropped. Lenient like the parsers
/// of the large search engines: byte order mark, any line end, comments, white space round the colon, unknown lines
/// ignored, lines before the first group ignored.
///
/// What an answer means: 2xx is parsed; 4xx, 429 apart, allows everything; 5xx, 429 and no answer at all disallow
/// everything until it is asked again, after `robots_retry_age` at the latest. The caller follows redirects, five at most
/// (RFC 9309, 2.3.1.2), and treats more as 4xx.
///
/// Thread safety: a policy is immutable and may be shared. Nothing here throws for what a file holds.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/crawl/url.hpp"

namespace quarry::crawl {

/// How long a policy holds. RFC 9309, 2.4: not longer than a day.
inline constexpr std::chrono::seconds robots_age{24 * 3600};
/// How long "disallow all, because the server is in trouble" holds.
inline constexpr std::chrono::seconds robots_retry_age{3600};
/// A site that asks for more is given this: beyond it a crawl never ends.
inline constexpr std::chrono::milliseconds crawl_delay_max{30'000};
inline constexpr int robots_redirects_max = 5;
inline constexpr std::size_t robots_bytes_max = std::size_t{500} * 1024;

/// Where the file for this URL is: `/robots.txt` of the same scheme, host and port.
Url robots_url(const Url& url);

class RobotsPolicy {
 public:
  enum class Source { parsed, allow_all, disallow_all };

  /// `product` is the crawler's name without a version: `quarry`.
  static RobotsPolicy parse(std::string_view file, std::string_view product);
  /// For a site without the file.
  static RobotsPolicy allow_all();
  /// For a site that could not be asked.
  static RobotsPolicy disallow_all();
  /// `status` is 0 if there was no answer. See above.
  static RobotsPolicy from_response(int status, std::string_view body, std::string_view product);

  /// Whether the page may be fetched.
  bool allows(const Url& url) const;
  /// The rule that decided, as it stands in the file (`Disallow: /private`), for whoever asks why; empty if none did.
  std::string deciding_rule(const Url& url) const;
  /// What the group asks for (a common extension), at most `crawl_delay_max`.
  std::optional<std::chrono::milliseconds> crawl_delay() const;
  /// Sitemaps, of all groups: absolute URLs, at most 1000.
  const std::vector<Url>& sitemaps() const;
  /// Where the policy comes from.
  Source source() const;
  /// How long to keep it.
  std::chrono::seconds age_max() const { return source() == Source::disallow_all ? robots_retry_age : robots_age; }

 private:
  struct Rules;
  explicit RobotsPolicy(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}
  const struct RobotsRule* decide(const Url& url) const;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace quarry::crawl
