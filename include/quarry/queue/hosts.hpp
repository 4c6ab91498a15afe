#pragma once
/// Politeness belongs to the queue, not to the workers: each host has a delay between starts, a limit of tasks in flight,
/// and a time until which it is left alone. All of it is stored, so that it survives a restart and holds for every worker.
///
/// Errors: `invalid` (a setting or a key out of its bounds). Thread safety: that of the transaction.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

struct Host {
  std::int64_t id = 0;
  std::string host_key;
  int delay_ms = 0;  ///< between the starts of two tasks
  int max_in_flight = 1'000'000;
  int in_flight = 0;
  std::int64_t pending = 0;  ///< tasks that may run as soon as the host allows
  Instant next_at;           ///< no start before, because of the delay
  Instant blocked_until;     ///< no start before, because it asked for it or failed
  int backoff_count = 0;     ///< refusals in a row
};
BOOST_DESCRIBE_STRUCT(Host, (),
                      (id, host_key, delay_ms, max_in_flight, in_flight, pending, next_at, blocked_until, backoff_count))

/// By key, as tasks name it; nothing when no task and no setting has named it yet.
std::optional<Host> find_host(Read& tx, std::string_view host_key);
/// By id.
std::optional<Host> find_host(Read& tx, std::int64_t id);
/// By the bytes of their keys, 1 to 10,000 at most, behind the host `after`. Throws `invalid` when there is no such host: no
/// page ends with it.
std::vector<Host> list_hosts(Read& tx, std::string_view after = {}, int limit = 100);

struct HostSettings {
  std::optional<int> delay_ms{};       ///< 0 to a day
  std::optional<int> max_in_flight{};  ///< at least 1
};
/// Makes the host if it is new and sets what is given. Throws `invalid` for values out of bounds.
Host configure_host(Write& tx, std::string_view host_key, const HostSettings& settings);

/// Leaves the host alone until then; a moment in the past ends a block.
void block_host(Write& tx, std::int64_t host_id, Instant until);

/// A host refused (429, 503) or could not be reached. It is left alone for `retry_after`, or for a minute that doubles with
/// each refusal in a row up to a day, with jitter (StormCrawler's rule). All tasks that were in flight when it began to
/// refuse count once: a refusal of a task that was started before the last refusal changes nothing
/// (apify/crawlee-python#2125).
void host_refused(Write& tx, std::int64_t host_id, Instant task_started_at,
                  std::optional<std::chrono::milliseconds> retry_after);

/// A host answered: refusals no longer count as in a row.
void host_answered(Write& tx, std::int64_t host_id);

/// What was learned from its robots.txt.
struct HostRobots {
  std::optional<std::string> robots_txt;
  std::optional<Instant> robots_fetched_at;
  std::optional<int> robots_status;
};
BOOST_DESCRIBE_STRUCT(HostRobots, (), (robots_txt, robots_fetched_at, robots_status))
/// Empty when nothing has been learned, or there is no such host.
HostRobots find_robots(Read& tx, std::int64_t host_id);
/// Replaces what was known.
void store_robots(Write& tx, std::int64_t host_id, const HostRobots& robots);

}  // namespace quarry::queue
