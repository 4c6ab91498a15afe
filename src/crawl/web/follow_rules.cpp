#include "crawl/web/follow_rules.hpp"

#include <algorithm>

#include "crawl/web/words.hpp"

namespace quarry::crawl {

FollowRules::FollowRules(const FollowConfig& config, const Url& target)
    : selector_(html::Selector::compile(config.selector)),
      scope_(config.scope),
      host_key_(host_key(target)),
      folder_(target.path().substr(0, target.path().rfind('/') + 1)),
      include_(config.include.begin(), config.include.end()),
      exclude_(config.exclude.begin(), config.exclude.end()) {}

bool FollowRules::in_scope(const Url& url) const {
  if (scope_ == FollowScope::any) return true;
  if (host_key(url) != host_key_) return false;
  return scope_ == FollowScope::host || url.path().substr(0, folder_.size()) == folder_;
}

bool FollowRules::admits(const Url& url) const {
  const auto fits = [&](const UrlPattern& pattern) { return pattern.fits(url.text()); };
  return in_scope(url) && (include_.empty() || std::any_of(include_.begin(), include_.end(), fits)) &&
         std::none_of(exclude_.begin(), exclude_.end(), fits);
}

bool is_nofollow(const html::Node& node) { return has_word(node.attribute("rel").value_or(""), "nofollow"); }

}  // namespace quarry::crawl
