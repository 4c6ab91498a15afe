/// The first line is a path, the rest a robots.txt.
#include "fuzz/crawl/fuzz.hpp"
#include "quarry/crawl/robots.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quarry::crawl;
  using quarry::fuzz::demand;
  const auto [path, file] = quarry::fuzz::first_line(quarry::fuzz::view(data, size));
  const auto policy = RobotsPolicy::parse(file, "quarry");
  const auto base = Url::parse("http://example.org/");
  const auto url = try_resolve(base, path).value_or(base);
  const bool allowed = policy.allows(url);
  demand(allowed || !policy.deciding_rule(url).empty(), "what is forbidden is forbidden by a rule");
  demand(policy.allows(robots_url(base)), "robots.txt itself is allowed");
  const auto delay = policy.crawl_delay();
  demand(!delay || (delay->count() >= 0 && *delay <= crawl_delay_max), "a delay is bounded");
  demand(policy.sitemaps().size() <= 1000, "sitemaps are bounded");
  return 0;
}
