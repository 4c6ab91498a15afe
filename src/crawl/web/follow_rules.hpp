#pragma once
/// Which links a job follows.

#include <string>
#include <vector>

#include "crawl/web/url_pattern.hpp"
#include "quarry/crawl/html.hpp"
#include "quarry/crawl/job_config.hpp"

namespace quarry::crawl {

class FollowRules {
 public:
  FollowRules(const FollowConfig& config, const Url& target);

  const html::Selector& selector() const noexcept { return selector_; }
  bool admits(const Url& url) const;

 private:
  bool in_scope(const Url& url) const;

  html::Selector selector_;
  FollowScope scope_;
  std::string host_key_;
  std::string folder_;  ///< the target's path up to its last slash
  std::vector<UrlPattern> include_, exclude_;
};

/// `rel` holds the word `nofollow`.
bool is_nofollow(const html::Node& node);

}  // namespace quarry::crawl
