#include "quarry/crawl/robots.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

#include "crawl/web/percent.hpp"
#include "crawl/web/words.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::crawl {

struct RobotsRule {
  bool allow = false;
  std::string pattern;  ///< percent-encoded as URLs are
  std::string line;     ///< as written
};

struct RobotsPolicy::Rules {
  Source source = Source::parsed;
  std::vector<RobotsRule> rules;
  std::optional<std::chrono::milliseconds> crawl_delay;
  std::vector<Url> sitemaps;
};

namespace {

constexpr std::size_t sitemaps_max = 1000, rules_max = 20'000, line_bytes_max = url_bytes_max;

/// `*` and `$` mean something in a rule, and stand for themselves in a URL; both stay as they are when encoded as a path.
std::string normalized(std::string_view pattern) {
  std::string out;
  const auto question = pattern.find('?');
  append_normalized(out, pattern.substr(0, question), UrlPart::path);
  if (question != std::string_view::npos) out += '?', append_normalized(out, pattern.substr(question + 1), UrlPart::query);
  return out;
}

/// Comparing takes the product of the lengths at worst. Real files need thousands of steps for a URL; beyond this, a file
/// made to hurt decides nothing any more.
constexpr std::size_t steps_max = 20'000'000;

/// Whether `pattern` fits the beginning of `path`: after a star only the last choice is ever tried again.
bool fits(std::string_view pattern, std::string_view path, std::size_t& steps) {
  const bool anchored = !pattern.empty() && pattern.back() == '$';
  if (anchored) pattern.remove_suffix(1);
  std::size_t p = 0, at = 0, star = std::string_view::npos, star_at = 0;
  for (; steps < steps_max; ++steps) {
    if (p == pattern.size() && (!anchored || at == path.size())) return true;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_at = at;
    } else if (p < pattern.size() && at < path.size() && pattern[p] == path[at]) {
      ++p, ++at;
    } else if (star != std::string_view::npos && star_at < path.size()) {
      p = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return false;
}

/// The product token at the beginning of a user-agent line's value: letters, `_` and `-` (RFC 9309, 2.2.1); digits are
/// common.
std::string_view product_token(std::string_view value) {
  std::size_t end = 0;
  while (end < value.size() && (value[end] == '_' || value[end] == '-' || (value[end] >= '0' && value[end] <= '9') ||
                                (ascii_lower(value[end]) >= 'a' && ascii_lower(value[end]) <= 'z')))
    ++end;
  return value.substr(0, end);
}

std::optional<std::chrono::milliseconds> read_delay(std::string_view text) {
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(seconds) || seconds < 0)
    return std::nullopt;
  const double most = std::chrono::duration<double>(crawl_delay_max).count();
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(seconds, most) * 1000));
}

/// Rules and delay of all the groups that one name has.
struct Group {
  bool exists = false;
  std::vector<RobotsRule> rules;
  std::optional<std::chrono::milliseconds> crawl_delay;
};

class RobotsReader {
 public:
  explicit RobotsReader(std::string_view product) : product_(product) {}

  void read(std::string_view file) {
    if (file.substr(0, 3) == "\xEF\xBB\xBF") file.remove_prefix(3);
    const bool cut = file.size() > robots_bytes_max;
    file = file.substr(0, robots_bytes_max);
    while (!file.empty()) {
      const auto end = file.find_first_of("\r\n");
      if (end == std::string_view::npos && cut) return;
      line(file.substr(0, end));
      file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    }
  }

  Group& group() { return own_.exists ? own_ : any_; }
  std::vector<Url>& sitemaps() { return sitemaps_; }

 private:
  void line(std::string_view text) {
    text = trimmed(text.substr(0, text.find('#')));
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.size() > line_bytes_max) return;
    const auto key = trimmed(text.substr(0, colon)), value = trimmed(text.substr(colon + 1));
    if (same_word(key, "user-agent"))
      user_agent(value);
    else if (same_word(key, "allow"))
      rule(true, value, text);
    else if (same_word(key, "disallow"))
      rule(false, value, text);
    else if (same_word(key, "crawl-delay"))
      delay(value);
    else if (same_word(key, "sitemap"))
      sitemap(value);
  }

  void user_agent(std::string_view value) {
    // Lines in a row name one group; after a rule a new group begins.
    if (rules_seen_) in_own_ = in_any_ = rules_seen_ = false;
    if (value.substr(0, 1) == "*")
      in_any_ = any_.exists = true;
    else if (same_word(product_token(value), product_))
      in_own_ = own_.exists = true;
  }

  template <class F>
  void for_groups(F use) {
    if (in_own_) use(own_);
    if (in_any_) use(any_);
  }

  void rule(bool allow, std::string_view value, std::string_view text) {
    rules_seen_ = true;
    for_groups([&](Group& group) {
      // An empty rule says nothing; one that does not begin with a slash or a star fits no path.
      if (value.empty() || group.rules.size() == rules_max) return;
      std::string kept;
      append_clean(kept, text);
      group.rules.push_back({allow, normalized(value), std::move(kept)});
    });
  }

  /// Ends no group: RFC 9309 knows nothing of it.
  void delay(std::string_view value) {
    for_groups([&](Group& group) {
      if (const auto read = read_delay(value)) group.crawl_delay = std::max(group.crawl_delay.value_or(*read), *read);
    });
  }

  /// Belongs to no group, and ends none.
  void sitemap(std::string_view value) {
    if (sitemaps_.size() == sitemaps_max) return;
    if (auto url = Url::try_parse(value)) sitemaps_.push_back(*std::move(url));
  }

  std::string_view product_;
  Group own_, any_;
  bool in_own_ = false, in_any_ = false, rules_seen_ = false;
  std::vector<Url> sitemaps_;
};

}  // namespace

Url robots_url(const Url& url) { return Url::parse(std::string(url.origin()) + "/robots.txt"); }

RobotsPolicy RobotsPolicy::parse(std::string_view file, std::string_view product) {
  RobotsReader reader(product);
  reader.read(file);
  auto rules = std::make_shared<Rules>();
  rules->rules = std::move(reader.group().rules);
  rules->crawl_delay = reader.group().crawl_delay;
  rules->sitemaps = std::move(reader.sitemaps());
  // The first that fits decides: longest first, and allow before disallow.
  std::stable_sort(rules->rules.begin(), rules->rules.end(), [](const RobotsRule& a, const RobotsRule& b) {
    if (a.pattern.size() != b.pattern.size()) return a.pattern.size() > b.pattern.size();
    return a.allow && !b.allow;
  });
  return RobotsPolicy(std::move(rules));
}

RobotsPolicy RobotsPolicy::allow_all() {
  auto rules = std::make_shared<Rules>();
  rules->source = Source::allow_all;
  return RobotsPolicy(std::move(rules));
}

RobotsPolicy RobotsPolicy::disallow_all() {
  auto rules = std::make_shared<Rules>();
  rules->source = Source::disallow_all;
  return RobotsPolicy(std::move(rules));
}

RobotsPolicy RobotsPolicy::from_response(int status, std::string_view body, std::string_view product) {
  if (status >= 200 && status < 300) return parse(body, product);
  // "Too many requests" is no statement about robots, but about now.
  const bool absent = (status >= 300 && status < 500) && status != 429;
  return absent ? allow_all() : disallow_all();
}

const RobotsRule* RobotsPolicy::decide(const Url& url) const {
  static const RobotsRule too_costly{false, {}, "the file takes too many steps to compare"};
  const auto path = url.path_and_query();
  std::size_t steps = 0;
  for (const auto& rule : rules_->rules) {
    if (fits(rule.pattern, path, steps)) return &rule;
    if (steps >= steps_max) return &too_costly;
  }
  return nullptr;
}

bool RobotsPolicy::allows(const Url& url) const {
  if (url.path_and_query() == "/robots.txt") return true;
  if (rules_->source != Source::parsed) return rules_->source == Source::allow_all;
  const auto* rule = decide(url);
  return rule == nullptr || rule->allow;
}

std::string RobotsPolicy::deciding_rule(const Url& url) const {
  if (rules_->source != Source::parsed || url.path_and_query() == "/robots.txt") return {};
  const auto* rule = decide(url);
  return rule == nullptr ? std::string{} : rule->line;
}

std::optional<std::chrono::milliseconds> RobotsPolicy::crawl_delay() const { return rules_->crawl_delay; }
const std::vector<Url>& RobotsPolicy::sitemaps() const { return rules_->sitemaps; }
RobotsPolicy::Source RobotsPolicy::source() const { return rules_->source; }

}  // namespace quarry::crawl
