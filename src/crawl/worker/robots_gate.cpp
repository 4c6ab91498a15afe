#include "crawl/worker/robots_gate.hpp"

#include "quarry/queue/hosts.hpp"

namespace quarry::crawl {
namespace {

/// Hosts whose policy is kept in memory: beyond it the database is asked again.
constexpr std::size_t policies_max = 10'000;

/// PostgreSQL's text holds no zero byte; a robots.txt with one is no text anyway.
std::string without_zero_bytes(std::string text) {
  std::erase(text, '\0');
  return text;
}

}  // namespace

std::optional<RobotsPolicy> RobotsGate::find(std::int64_t host_id) {
  const auto known = known_.find(host_id);
  if (known == known_.end()) return look_up(host_id);
  if (db_.now() < known->second.until) return known->second.policy;
  known_.erase(known);
  return std::nullopt;
}

std::optional<RobotsPolicy> RobotsGate::look_up(std::int64_t host_id) {
  const auto stored = db_.read([&](Read& tx) { return queue::find_robots(tx, host_id); });
  if (!stored.robots_fetched_at) return std::nullopt;
  auto policy = RobotsPolicy::from_response(stored.robots_status.value_or(0), stored.robots_txt.value_or(""), product_);
  if (db_.now() >= *stored.robots_fetched_at + policy.age_max()) return std::nullopt;
  return remember(host_id, std::move(policy), *stored.robots_fetched_at);
}

RobotsPolicy RobotsGate::remember(std::int64_t host_id, RobotsPolicy policy, Instant fetched_at) {
  if (known_.size() >= policies_max) known_.clear();
  known_.insert_or_assign(host_id, Known{policy, fetched_at + policy.age_max()});
  return policy;
}

RobotsPolicy RobotsGate::learn(std::int64_t host_id, int status, const std::string& body) {
  auto policy = RobotsPolicy::from_response(status, body, product_);
  const auto now = db_.now();
  db_.write([&](Write& tx) {
    queue::store_robots(tx, host_id, {without_zero_bytes(body.substr(0, robots_bytes_max)), now, status});
    const auto host = queue::find_host(tx, host_id);
    const auto delay = policy.crawl_delay();
    if (host && delay && delay->count() > host->delay_ms)
      queue::configure_host(tx, host->host_key, {.delay_ms = static_cast<int>(delay->count())});
  });
  return remember(host_id, std::move(policy), now);
}

}  // namespace quarry::crawl
