#include "quarry/queue/hosts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/retry_policy.hpp"
#include "quarry/store/checks.hpp"
#include "queue/access.hpp"
#include "queue/columns.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<Host(std::string_view)> find_by_key{"hosts.find",
                                                         "select " QUARRY_HOST_COLUMNS " from hosts where host_key = $1"};
constexpr sql::Query<Host(std::int64_t)> host_by_id{"hosts.get", "select " QUARRY_HOST_COLUMNS " from hosts where id = $1"};
// By bytes on both engines, whatever the collation of the server's database. For people: it sorts what it finds.
constexpr sql::Query<Host(std::string_view, int)> list_by_key{
    "hosts.list", sql::sqlite("select " QUARRY_HOST_COLUMNS " from hosts where host_key > $1 order by host_key limit $2"),
    sql::postgres("select " QUARRY_HOST_COLUMNS
                  " from hosts where host_key collate \"C\" > $1 order by host_key collate \"C\" limit $2")};
constexpr sql::Command<void(std::string_view, std::optional<int>, std::optional<int>, Instant)> upsert{
    "hosts.configure",
    "insert into hosts (host_key, delay_ms, max_in_flight, created_at) values ($1, coalesce($2, 0), coalesce($3, 1000000), "
    "$4)"
    " on conflict (host_key) do update set delay_ms = coalesce($2, hosts.delay_ms),"
    " max_in_flight = coalesce($3, hosts.max_in_flight)"};
constexpr sql::Command<void(std::int64_t, Instant)> block{"hosts.block",
                                                          "update hosts set blocked_until = $2 where id = $1"};

struct Backoff {
  int backoff_count;
  std::optional<Instant> last_backoff_at;
};
BOOST_DESCRIBE_STRUCT(Backoff, (), (backoff_count, last_backoff_at))

constexpr sql::Query<Backoff(std::int64_t)> find_backoff{
    "hosts.find_backoff", sql::sqlite("select backoff_count, last_backoff_at from hosts where id = $1"),
    sql::postgres("select backoff_count, last_backoff_at from hosts where id = $1 for no key update")};
constexpr sql::Command<void(std::int64_t, Instant, Instant)> back_off{
    "hosts.back_off",
    sql::sqlite(
        "update hosts set blocked_until = max(blocked_until, $2), backoff_count = backoff_count + 1, last_backoff_at = $3"
        " where id = $1"),
    sql::postgres("update hosts set blocked_until = greatest(blocked_until, $2), backoff_count = backoff_count + 1, "
                  "last_backoff_at = $3"
                  " where id = $1")};
constexpr sql::Command<void(std::int64_t)> forgive{"hosts.forgive",
                                                   "update hosts set backoff_count = 0 where id = $1 and backoff_count > 0"};
constexpr sql::Query<HostRobots(std::int64_t)> get_robots{
    "hosts.find_robots", "select robots_txt, robots_fetched_at, robots_status from hosts where id = $1"};
constexpr sql::Command<void(std::int64_t, std::optional<std::string>, std::optional<Instant>, std::optional<int>)>
    set_robots{"hosts.store_robots",
               "update hosts set robots_txt = $2, robots_fetched_at = $3, robots_status = $4 where id = $1"};

constexpr RetryPolicy refusals{std::chrono::minutes(2), std::chrono::hours(24)};
constexpr int day_ms = 86'400'000;

/// A host has tasks in any number of queues, and who wants to know which would have to look at all of them; queues are few.
void wake_workers(Write& tx) {
  for (const auto& queue : list_queues(tx)) tx.notify(wake_channel(queue.id));
}

}  // namespace

std::optional<Host> find_host(Read& tx, std::string_view host_key) { return tx.one(find_by_key, host_key); }
std::optional<Host> find_host(Read& tx, std::int64_t id) { return tx.one(host_by_id, id); }
std::vector<Host> list_hosts(Read& tx, std::string_view after, int limit) {
  check_list_limit(limit);
  if (!after.empty()) {
    store::check_text("the host to go on behind", after, 1, host_key_max);
    if (!tx.one(find_by_key, after))
      throw_invalid(fmt::format("there is no host '{}' to go on behind: say the last host of the page before", after));
  }
  return tx.all(list_by_key, after, limit);
}

Host configure_host(Write& tx, std::string_view host_key, const HostSettings& settings) {
  require_sees_all(tx, "a host's limits");
  if (host_key.empty() || host_key.size() > host_key_max)
    throw_invalid(fmt::format("a host_key of {} bytes: it must have 1 to {}", host_key.size(), host_key_max));
  store::check_text("host_key", host_key, 1, host_key_max);
  if (settings.delay_ms && (*settings.delay_ms < 0 || *settings.delay_ms > day_ms))
    throw_invalid(fmt::format("a delay of {} ms: it must be from 0 to {} ms, a day", *settings.delay_ms, day_ms));
  if (settings.max_in_flight && *settings.max_in_flight < 1)
    throw_invalid(fmt::format("max_in_flight {}: it must be at least 1; to stop a host, block it", *settings.max_in_flight));
  tx.run(upsert, host_key, settings.delay_ms, settings.max_in_flight, tx.now());
  wake_workers(tx);
  return tx.value(find_by_key, host_key);
}

void block_host(Write& tx, std::int64_t host_id, Instant until) {
  require_sees_all(tx, "blocking a host");
  tx.run(block, host_id, std::max(until, Instant{0}));
  if (until <= tx.now()) wake_workers(tx);
}

void host_refused(Write& tx, std::int64_t host_id, Instant task_started_at,
                  std::optional<std::chrono::milliseconds> retry_after) {
  require_sees_all(tx, "what a host answered");
  const auto state = tx.one(find_backoff, host_id);
  if (!state) return;
  if (state->last_backoff_at && task_started_at <= *state->last_backoff_at) return;
  const auto now = tx.now();
  // Zero is no answer to "when": it would switch the backoff off.
  const bool told = retry_after && retry_after->count() > 0;
  const auto rest = told ? std::min<std::chrono::milliseconds>(*retry_after, refusals.delay_max)
                         : retry_delay(refusals, state->backoff_count, tx.random());
  tx.run(back_off, host_id, now + rest, now);
}

void host_answered(Write& tx, std::int64_t host_id) {
  require_sees_all(tx, "what a host answered");
  tx.run(forgive, host_id);
}

HostRobots find_robots(Read& tx, std::int64_t host_id) { return tx.one(get_robots, host_id).value_or(HostRobots{}); }

void store_robots(Write& tx, std::int64_t host_id, const HostRobots& robots) {
  require_sees_all(tx, "a host's rules for robots");
  tx.run(set_robots, host_id, robots.robots_txt, robots.robots_fetched_at, robots.robots_status);
}

}  // namespace quarry::queue
