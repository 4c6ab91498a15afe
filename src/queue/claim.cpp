#include "quarry/queue/claim.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "quarry/core/error.hpp"
#include "quarry/queue/as_one.hpp"
#include "quarry/queue/head.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/store/checks.hpp"
#include "queue/access.hpp"
#include "queue/effects.hpp"
#include "queue/lease_columns.hpp"
#include "queue/put_back.hpp"

namespace quarry::queue {
namespace {

using std::chrono::milliseconds;

void check_lease(milliseconds lease) {
  if (lease < milliseconds(100) || lease > std::chrono::hours(24))
    throw_invalid(fmt::format("lease of {} ms: it must be from 100 ms to a day", lease.count()));
}

void check(const ClaimOptions& options) {
  if (options.limit < 1 || options.limit > 10'000)
    throw_invalid(fmt::format("claim limit {}: it must be from 1 to 10000", options.limit));
  check_lease(options.lease);
  store::check_text("the worker's name", options.worker, 0, 500);
}

/// Due hosts with tasks of the queue that one claim takes into account: enough to fill it when each has one task. Hosts are
/// shared by all queues; those that have nothing for this one are passed over, one look each, so that they cannot stand in
/// its way.
int hosts_to_look_at(int limit) { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(2 * limit, 64)))); }

/// As it is up to 128, and then to the next of four steps between two powers of two, so that few more rows are locked than
/// are taken (each costs a record in the WAL), and the statements stay few.
int round_up(int limit) {
  if (limit <= 128) return limit;
  const int step = std::max(1, static_cast<int>(std::bit_ceil(static_cast<unsigned>(limit))) / 8);
  return (limit + step - 1) / step * step;
}

// ---- PostgreSQL: one statement.
// --------------------------------------------------------------------------------------------------------

// Hosts first, without waiting (SKIP LOCKED), then tasks: the hosts that may start something now are found by their index,
// and each gives no more tasks than it has room for, so blocked ones are never met. The limits inside are literals, because
// the planner guesses a tenth of the table for a parameter and would then sort a million rows to find a hundred; a program
// asks with a few of them. What was locked is found again by its place (ctid), which saves a search of the key's index for
// each task; one that somebody else has changed between the statement's snapshot and the lock, and that is pending still,
// stands elsewhere by then and is left to the next claim.
std::string postgres_claim(int limit) {
  const int candidates = round_up(limit);
  return fmt::format(
      "with plain as materialized ("
      "  select ctid as place, id, rank from task_queue"
      "  where queue_id = $1 and status = 'pending' and host_id is null and (rank, id) >= ($6, $7)"
      "  and (select not is_paused from queues where id = $1)"
      "  order by queue_id, rank, id limit {0} for update skip locked),"
      " due_hosts as materialized ("
      "  select id, least(max_in_flight - in_flight, case when delay_ms > 0 then 1 else {0} end) as room from hosts"
      "  where $8 and due_at <= $3 and (select not is_paused from queues where id = $1)"
      "  and (select t.id from task_queue t where t.host_id = hosts.id and t.queue_id = $1 and t.status = 'pending'"
      "   order by t.host_id, t.queue_id, t.rank, t.id limit 1) is not null"
      "  order by due_at limit {1} for no key update skip locked),"
      " hosted as materialized ("
      "  select t.place, t.id, t.rank from due_hosts h cross join lateral ("
      "   select ctid as place, id, rank from task_queue where host_id = h.id and queue_id = $1 and status = 'pending'"
      "   order by host_id, queue_id, rank, id limit h.room for update skip locked) t),"
      " picked as materialized (select place from (select * from plain union all select * from hosted) c order by rank, id "
      "limit $2),"
      " claimed as (update task_queue t set status = 'processing', lease_token = t.lease_token + 1, lease_until = $4, "
      "worker = $5,"
      "  started_at = $3 from picked where t.ctid = picked.place"
      "  returning t.id, t.lease_token, t.task_type, t.payload, t.user_id, t.job_id, t.host_id, t.retry_count, "
      "t.max_retries,"
      "  t.stall_count, t.rank)"
      " select * from claimed order by rank, id",
      candidates, hosts_to_look_at(limit));
}

enum class Hosts { with, without };

std::vector<ClaimedTask> claim_from(Write& tx, QueueId queue, const ClaimOptions& options, int limit, Head::Place from,
                                    Hosts hosts) {
  const auto now = tx.now();
  const auto text = postgres_claim(limit);
  const sql::Command<ClaimedTask(QueueId, int, Instant, Instant, std::string, std::int64_t, TaskId, bool)> take{
      "queue.claim", text};
  return tx.all(take, queue, limit, now, now + options.lease, options.worker, from.rank, from.id, hosts == Hosts::with);
}

constexpr Head::Place front{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<TaskId>::min()};

Head::Place place_of(const ClaimedTask& task) { return {task.rank, task.id}; }

bool goes_first(const ClaimedTask& a, const ClaimedTask& b) { return place_of(a) < place_of(b); }

std::vector<ClaimedTask> claim_postgres(Write& tx, QueueId queue, const ClaimOptions& options) {
  if (options.head == nullptr) return claim_from(tx, queue, options, options.limit, front, Hosts::with);
  const auto limit = static_cast<std::size_t>(options.limit);
  std::vector<ClaimedTask> tasks;
  const auto place = options.head->begin();
  if (place) {
    tasks = claim_from(tx, queue, options, options.limit, *place, Hosts::with);
    if (tasks.size() == limit) {
      options.head->move_to(*place, place_of(tasks.front()));
      return tasks;
    }
  }
  const auto start = std::chrono::steady_clock::now();
  // The hosts have given what they have room for, which does not show in their rows before this claim's effects do.
  const auto more = claim_from(tx, queue, options, options.limit - static_cast<int>(tasks.size()), front,
                               place ? Hosts::without : Hosts::with);
  tasks.insert(tasks.end(), more.begin(), more.end());
  std::ranges::sort(tasks, goes_first);
  options.head->looked(tasks.size() == limit ? std::optional(place_of(tasks.front())) : std::nullopt,
                       std::chrono::steady_clock::now() - start);
  return tasks;
}

// ---- SQLite: candidates, then one update each; nobody else writes meanwhile.
// -----------------------------------------------------------

constexpr sql::Query<bool(QueueId)> is_paused{"queue.is_paused", "select is_paused from queues where id = $1"};

constexpr sql::Query<ClaimedTask(QueueId, int)> plain_candidates{
    "queue.claim_plain",
    "select id, lease_token, task_type, payload, user_id, job_id, host_id, retry_count, max_retries, stall_count, rank"
    " from task_queue where queue_id = $1 and status = 'pending' and host_id is null order by queue_id, rank, id limit $2"};

struct DueHost {
  std::int64_t id;
  int room;
};
BOOST_DESCRIBE_STRUCT(DueHost, (), (id, room))

constexpr sql::Query<DueHost(Instant, int, int, QueueId)> due_hosts{
    "queue.claim_hosts",
    "select id, min(max_in_flight - in_flight, case when delay_ms > 0 then 1 else $2 end) as room from hosts"
    " where due_at is not null and due_at <= $1"
    " and exists (select 1 from task_queue t where t.host_id = hosts.id and t.queue_id = $4 and t.status = 'pending')"
    " order by due_at limit $3"};

constexpr sql::Query<ClaimedTask(std::int64_t, QueueId, int)> host_candidates{
    "queue.claim_hosted",
    "select id, lease_token, task_type, payload, user_id, job_id, host_id, retry_count, max_retries, stall_count, rank"
    " from task_queue where host_id = $1 and queue_id = $2 and status = 'pending' order by host_id, queue_id, rank, id "
    "limit $3"};

struct Lease {
  TaskId id;
  std::int64_t token;
  Instant until;
  std::string_view worker;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(Lease, (), (id, token, until, worker, now))

constexpr sql::Command<void(Lease)> take_lease{"queue.claim",
                                               "update task_queue set status = 'processing', lease_token = $2, lease_until "
                                               "= $3, worker = $4, started_at = $5 where id = $1"};

std::vector<ClaimedTask> claim_sqlite(Write& tx, QueueId queue, const ClaimOptions& options) {
  if (tx.one(is_paused, queue).value_or(true)) return {};
  const auto now = tx.now();
  auto tasks = tx.all(plain_candidates, queue, options.limit);
  for (const auto& host : tx.all(due_hosts, now, options.limit, hosts_to_look_at(options.limit), queue))
    for (auto& task : tx.all(host_candidates, host.id, queue, std::min(host.room, options.limit)))
      tasks.push_back(std::move(task));
  const auto limit = static_cast<std::size_t>(options.limit);
  std::ranges::sort(tasks, goes_first);
  if (tasks.size() > limit) tasks.erase(tasks.begin() + options.limit, tasks.end());
  std::vector<Lease> leases;
  leases.reserve(tasks.size());
  for (auto& task : tasks) leases.push_back({task.id, ++task.lease_token, now + options.lease, options.worker, now});
  tx.run_each(take_lease, leases);
  return tasks;
}

}  // namespace

namespace {

std::vector<ClaimedTask> take(Write& tx, QueueId queue, const ClaimOptions& options) {
  return tx.engine() == Engine::sqlite ? claim_sqlite(tx, queue, options) : claim_postgres(tx, queue, options);
}

void note_started(Effects& effects, QueueId queue, const ClaimedTask& task) {
  effects.moved({queue.value, task.host_id, task.job_id}, TaskStatus::pending, TaskStatus::processing);
}

/// Kept back by one claim, at most: more are left to the next one, so that no transaction grows without bound.
constexpr std::size_t kept_back_max = 1'000;
constexpr int gate_rounds_max = 100;

std::vector<ClaimedTask> claim_through_gate(Write& tx, QueueId queue, const ClaimOptions& options) {
  std::vector<ClaimedTask> admitted;
  std::size_t kept = 0;
  auto rest = options;
  for (int round = 0; round < gate_rounds_max && kept < kept_back_max && rest.limit > 0; ++round) {
    const auto tasks = take(tx, queue, rest);
    if (tasks.empty()) break;
    const auto held = options.gate->judge(tx, tasks);
    Effects effects;
    std::unordered_set<TaskId> back;
    bool is_undecided = false;
    for (const auto& task : put_back(tx, held)) {
      back.insert(task.id);
      if (task.status == TaskStatus::pending)
        is_undecided = true;  // as if it had not been touched
      else
        effects.moved(task.refs(), TaskStatus::pending, task.status);
    }
    for (const auto& task : tasks) {
      if (back.contains(task.id)) continue;
      note_started(effects, queue, task);
      admitted.push_back(task);
    }
    effects.apply(tx);
    if (held.empty() || is_undecided) break;
    kept += held.size();
    rest.limit = options.limit - static_cast<int>(admitted.size());
  }
  std::ranges::sort(admitted, goes_first);
  return admitted;
}

}  // namespace

std::vector<ClaimedTask> claim(Write& tx, QueueId queue, const ClaimOptions& options) {
  require_sees_all(tx, "a worker's part");
  check(options);
  if (options.maintain) {
    // Jobs before hosts: what is taken back changes its job, what falls due its host.
    as_one(tx, [](Write& unit) {
      reap_expired(unit);
      promote_due(unit);
    });
  }
  if (options.gate) return claim_through_gate(tx, queue, options);
  auto tasks = take(tx, queue, options);
  if (tasks.empty()) return tasks;
  Effects effects;
  for (const auto& task : tasks) note_started(effects, queue, task);
  effects.apply(tx);
  return tasks;
}

namespace {

struct Beat {
  TaskId id;
  bool cancel_requested;
};
BOOST_DESCRIBE_STRUCT(Beat, (), (id, cancel_requested))

constexpr sql::Command<Beat(TaskId, std::int64_t, Instant)> extend_lease{
    "queue.heartbeat",
    "update task_queue set lease_until = $3 where id = $1 and lease_token = $2 and lease_until is not null returning id, "
    "cancel_requested"};

// In the order of the ids: the tasks are those that this worker's other thread ends.
constexpr sql::Command<Beat(std::vector<std::int64_t>, std::vector<std::int64_t>, Instant)> extend_leases{
    "queue.heartbeat_many", sql::sqlite(""),
    sql::postgres(
        "with held as materialized (select t.id from task_queue t join unnest($1::bigint[], $2::bigint[]) as l (id, token)"
        "  on t.id = l.id and t.lease_token = l.token where t.lease_until is not null order by t.id for no key update of t)"
        " update task_queue t set lease_until = $3 from held where t.id = held.id returning t.id, t.cancel_requested")};

// By primary key, one look-up for each lease.
constexpr sql::Query<TaskId(TaskId, std::int64_t)> find_cancel_request{
    "queue.cancel_request",
    "select id from task_queue where id = $1 and lease_token = $2 and lease_until is not null and cancel_requested"};
constexpr sql::Query<TaskId(std::vector<std::int64_t>, std::vector<std::int64_t>)> find_cancel_requests{
    "queue.cancel_requests", sql::sqlite(""),
    sql::postgres("select t.id from task_queue t join unnest($1::bigint[], $2::bigint[]) as l (id, token)"
                  " on t.id = l.id and t.lease_token = l.token where t.lease_until is not null and t.cancel_requested")};

}  // namespace

std::vector<TaskId> cancel_requests(Read& tx, std::span<const LeaseRef> leases) {
  require_sees_all(tx, "a worker's part");
  std::vector<TaskId> cancelled;
  if (leases.empty()) return cancelled;
  if (tx.engine() == Engine::sqlite) {
    for (const auto& ref : leases)
      if (tx.one(find_cancel_request, ref.id, ref.lease_token)) cancelled.push_back(ref.id);
    return cancelled;
  }
  const LeaseColumns many(leases);
  return tx.all(find_cancel_requests, many.ids, many.tokens);
}

HeartbeatResult heartbeat(Write& tx, std::span<const LeaseRef> leases, milliseconds lease) {
  require_sees_all(tx, "a worker's part");
  check_lease(lease);
  const auto until = tx.now() + lease;
  std::vector<Beat> beats;
  if (tx.engine() == Engine::sqlite) {
    for (const auto& ref : leases)
      if (const auto beat = tx.one(extend_lease, ref.id, ref.lease_token, until)) beats.push_back(*beat);
  } else {
    const LeaseColumns many(leases);
    beats = tx.all(extend_leases, many.ids, many.tokens, until);
  }
  std::unordered_map<TaskId, bool> cancelled;
  for (const auto& beat : beats) cancelled.emplace(beat.id, beat.cancel_requested);
  HeartbeatResult result;
  for (const auto& ref : leases) {
    const auto beat = cancelled.find(ref.id);
    if (beat == cancelled.end())
      result.lost.push_back(ref.id);
    else if (beat->second)
      result.cancelled.push_back(ref.id);
  }
  return result;
}

}  // namespace quarry::queue
