#include "crawl/worker/robots_gate.hpp"

#include <fmt/format.h>

#include "quarry/core/utf8.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::crawl {
namespace {

/// Hosts whose policy is kept in memory: beyond it the database is asked again.
constexpr std::size_t policies_max = 10'000;

/// What can be stored as text, without a change of meaning. A byte that is no UTF-8 becomes its percent-encoding, which is
/// the same in a rule; zero bytes, which mean nothing there, go. Of a file that is too long whole lines are kept.
std::string as_text(std::string_view file) {
  if (file.size() > robots_bytes_max) file = file.substr(0, file.find_last_of("\r\n", robots_bytes_max - 1) + 1);
  std::string text;
  while (!file.empty()) {
    const auto clean = clean_prefix(file);
    text += file.substr(0, clean);
    file.remove_prefix(clean);
    if (file.empty()) break;
    if (file[0] != '\0') text += fmt::format("%{:02X}", static_cast<unsigned char>(file[0]));
    file.remove_prefix(1);
  }
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
  // Of an answer that is no file nothing is kept but its status. What is used now is what is found after a restart.
  const auto file = status >= 200 && status < 300 ? std::optional(as_text(body)) : std::nullopt;
  auto policy = RobotsPolicy::from_response(status, file.value_or(""), product_);
  const auto now = db_.now();
  db_.write([&](Write& tx) {
    queue::store_robots(tx, host_id, {file, now, status});
    const auto host = queue::find_host(tx, host_id);
    const auto delay = policy.crawl_delay();
    if (host && delay && delay->count() > host->delay_ms)
      queue::configure_host(tx, host->host_key, {.delay_ms = static_cast<int>(delay->count())});
  });
  return remember(host_id, std::move(policy), now);
}

}  // namespace quarry::crawl
