#include "queue/effects.hpp"

#include <boost/describe.hpp>
#include <string>

#include "queue/deferring_session.hpp"
#include "queue/job_notes.hpp"
#include "queue/release_blocked.hpp"

namespace quarry::queue {
namespace {

struct CountDelta {
  std::int64_t queue_id;
  TaskStatus status;
  std::int64_t by;
};
BOOST_DESCRIBE_STRUCT(CountDelta, (), (queue_id, status, by))

constexpr sql::Command<void(CountDelta)> add_count{
    "queue.add_count",
    sql::sqlite("insert into queue_counts (queue_id, status, shard, n) values ($1, $2, 0, $3)"
                " on conflict (queue_id, status, shard) do update set n = n + excluded.n"),
    sql::postgres("")};

// The shard is one that nobody holds, at best the backend's own, else one that is not there yet: a row is held until the
// commit, and a transaction that enqueues and finishes would otherwise wait for another one in the middle, with hosts in its
// hands that the other one wants.
constexpr sql::Command<void(std::vector<std::int64_t>, std::vector<std::string>, std::vector<std::int64_t>)> add_counts{
    "queue.add_counts", sql::sqlite(""),
    sql::postgres(
        "insert into queue_counts (queue_id, status, shard, n)"
        " select d.queue_id, d.status::task_status,"
        "  coalesce((select c.shard from queue_counts c where c.queue_id = d.queue_id and c.status = d.status::task_status"
        "   order by (c.shard = pg_backend_pid() % 16) desc, c.shard limit 1 for update skip locked),"
        "   (select n::smallint from generate_series(0, 15) n where not exists (select from queue_counts c"
        "     where c.queue_id = d.queue_id and c.status = d.status::task_status and c.shard = n)"
        "    order by (n = pg_backend_pid() % 16) desc, random() limit 1),"
        "   floor(random() * 16)::smallint),"
        "  d.by"
        " from unnest($1::bigint[], $2::text[], $3::bigint[]) as d (queue_id, status, by)"
        " on conflict (queue_id, status, shard) do update set n = queue_counts.n + excluded.n")};

struct HostDelta {
  std::int64_t id;
  std::int64_t pending;
  std::int64_t in_flight;
  bool started;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(HostDelta, (), (id, pending, in_flight, started, now))

// `next_at` moves even without a delay: hosts are taken in its order, so that they take turns.
constexpr sql::Command<void(HostDelta)> change_host{
    "queue.change_host",
    sql::sqlite("update hosts set pending = pending + $2, in_flight = in_flight + $3,"
                " next_at = case when $4 then $5 + delay_ms * 1000 else next_at end where id = $1"),
    sql::postgres("")};

// Locked by the weaker of the two locks: the stronger one would wait for everybody who has put in a task that refers to the
// host.
constexpr sql::Command<void(std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>,
                            std::vector<std::int64_t>, Instant)>
    change_hosts{
        "queue.change_hosts", sql::sqlite(""),
        sql::postgres(
            "with d as (select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
            " as d (id, pending, in_flight, started)),"
            " locked as materialized (select h.id from hosts h where h.id = any($1) order by h.id for no key update)"
            " update hosts h set pending = h.pending + d.pending, in_flight = h.in_flight + d.in_flight,"
            " next_at = case when d.started > 0 then $5::timestamptz + h.delay_ms * interval '1 millisecond'"
            " else h.next_at end"
            " from d join locked using (id) where h.id = d.id")};

struct JobDelta {
  JobId id;
  std::int64_t total;
  std::int64_t open;
  std::int64_t processed;
  std::int64_t failed;
  bool reopened;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(JobDelta, (), (id, total, open, processed, failed, reopened, now))

/// What this change was for the job.
struct JobAfter {
  JobId id;
  bool ended;
  bool began;  ///< its first claim had left it undone
};
BOOST_DESCRIBE_STRUCT(JobAfter, (), (id, ended, began))

// A job ends with its last task: `failed` when every one of them failed, else `completed`. When one of its ended tasks is
// tried again, it runs again; those of a cancelled job are not (control.cpp).
constexpr sql::Command<JobAfter(JobDelta)> change_job{
    "queue.change_job",
    sql::sqlite("update scraping_jobs set total_items = total_items + $2, open_tasks = open_tasks + $3,"
                " processed_items = processed_items + $4, failed_items = failed_items + $5,"
                " progress = case when total_items + $2 = 0 then 0"
                "  else min(100, (processed_items + $4 + failed_items + $5) * 100 / (total_items + $2)) end,"
                " started_at = case when started_at is null and ($4 > 0 or $5 > 0) then $7 else started_at end,"
                " completed_at = case when $6 and (status = 'completed' or status = 'failed') then null"
                "  when $3 < 0 and open_tasks + $3 = 0 and (status = 'pending' or status = 'running') then $7"
                "  else completed_at end,"
                " status = case when $6 and (status = 'completed' or status = 'failed') then 'running'"
                "  when $3 < 0 and open_tasks + $3 = 0 and (status = 'pending' or status = 'running') then"
                "   case when processed_items + $4 = 0 and failed_items + $5 > 0 then 'failed' else 'completed' end"
                "  when status = 'pending' and ($4 > 0 or $5 > 0) then 'running' else status end,"
                " is_paused = is_paused and not ($3 < 0 and open_tasks + $3 = 0), updated_at = $7 where id = $1"
                " returning id, ($3 < 0 and open_tasks = 0) as ended, 0 as began"),
    sql::postgres("update scraping_jobs set total_items = total_items + $2, open_tasks = open_tasks + $3,"
                  " processed_items = processed_items + $4, failed_items = failed_items + $5,"
                  " progress = case when total_items + $2 = 0 then 0"
                  "  else least(100, (processed_items + $4 + failed_items + $5) * 100 / (total_items + $2)) end,"
                  " started_at = case when started_at is null and ($4 > 0 or $5 > 0) then $7 else started_at end,"
                  " completed_at = case when $6 and status in ('completed', 'failed') then null"
                  "  when $3 < 0 and open_tasks + $3 = 0 and status in ('pending', 'running') then $7::timestamptz"
                  "  else completed_at end,"
                  " status = case when $6 and status in ('completed', 'failed') then 'running'::job_status"
                  "  when $3 < 0 and open_tasks + $3 = 0 and status in ('pending', 'running') then"
                  "   case when processed_items + $4 = 0 and failed_items + $5 > 0 then 'failed'::job_status"
                  "   else 'completed'::job_status end"
                  "  when status = 'pending' and ($4 > 0 or $5 > 0) then 'running'::job_status else status end,"
                  " is_paused = is_paused and not ($3 < 0 and open_tasks + $3 = 0), updated_at = $7 where id = $1"
                  " returning id, ($3 < 0 and open_tasks = 0) as ended,"
                  "  (($4 > 0 or $5 > 0) and started_at = $7) as began")};

constexpr sql::Query<bool(JobId)> has_ended{
    "queue.job_has_ended", "select status = 'completed' or status = 'failed' from scraping_jobs where id = $1"};

// A job runs from its first claim. Later claims do not touch its row: it is the busiest of all, and every one of its workers
// would wait there for the others. Nor does the first one wait: it holds hosts that whoever holds the job may want. What it
// leaves undone then is done by the next claim, or by the end of a task.
constexpr sql::Command<void(JobId, Instant)> start_job{
    "queue.start_job",
    sql::sqlite("update scraping_jobs set status = 'running', started_at = coalesce(started_at, $2), updated_at = $2"
                " where id = $1 and status = 'pending'"),
    sql::postgres(
        "update scraping_jobs set status = 'running', started_at = coalesce(started_at, $2), updated_at = $2"
        " where id = (select id from scraping_jobs where id = $1 and status = 'pending' for no key update skip locked)")};

}  // namespace

void Effects::count(const TaskRefs& task, TaskStatus status, std::int64_t by) {
  counts_[{task.queue_id, status}] += by;
  if (status == TaskStatus::pending && task.host_id) hosts_[*task.host_id].pending += by;
  if (status == TaskStatus::processing && task.host_id) hosts_[*task.host_id].in_flight += by;
}

void Effects::added(const TaskRefs& task, TaskStatus status) {
  count(task, status, 1);
  if (!task.job_id) return;
  auto& job = jobs_[*task.job_id];
  ++job.total;
  job.open += is_open(status);
}

void Effects::moved(const TaskRefs& task, TaskStatus from, TaskStatus to) {
  count(task, from, -1);
  count(task, to, 1);
  const bool started = to == TaskStatus::processing;
  if (started && task.host_id) hosts_[*task.host_id].started = true;
  if (!task.job_id || (!started && is_open(from) && is_open(to))) return;
  auto& job = jobs_[*task.job_id];
  job.started |= started;
  job.open += int{is_open(to)} - int{is_open(from)};
  job.reopened |= !is_open(from) && is_open(to);
  const auto lost = [](TaskStatus s) { return s == TaskStatus::failed || s == TaskStatus::dead; };
  job.processed += int{to == TaskStatus::completed} - int{from == TaskStatus::completed};
  job.failed += int{lost(to)} - int{lost(from)};
}

void Effects::removed(const TaskRefs& task, TaskStatus status) { count(task, status, -1); }

void Effects::apply(Write& tx) {
  if (!jobs_.empty()) apply_jobs(tx);
  if (auto* later = dynamic_cast<DeferringSession*>(&tx.session())) {
    later->effects().add(*this);
  } else {
    if (!hosts_.empty()) apply_hosts(tx);
    apply_counts(tx);
  }
  counts_.clear();
  hosts_.clear();
  jobs_.clear();
}

void Effects::add(const Effects& others) {
  for (const auto& [key, by] : others.counts_) counts_[key] += by;
  for (const auto& [id, change] : others.hosts_) {
    auto& host = hosts_[id];
    host.pending += change.pending;
    host.in_flight += change.in_flight;
    host.started |= change.started;
  }
}

void Effects::apply_hosts(Write& tx) {
  const auto now = tx.now();
  if (tx.engine() == Engine::sqlite) {
    for (const auto& [id, change] : hosts_) tx.run(change_host, {id, change.pending, change.in_flight, change.started, now});
    return;
  }
  std::vector<std::int64_t> ids, pending, in_flight, started;
  for (const auto& [id, change] : hosts_) {
    ids.push_back(id);
    pending.push_back(change.pending);
    in_flight.push_back(change.in_flight);
    started.push_back(change.started);
  }
  tx.run(change_hosts, ids, pending, in_flight, started, now);
}

void Effects::apply_jobs(Write& tx) {
  const auto now = tx.now();
  std::vector<JobId> ended;
  for (const auto& [id, change] : jobs_) {
    if (change.started && tx.run(start_job, id, now) > 0) note_job_began(tx, id, now);
    if (change.is_only_a_start()) continue;
    // Whoever reopens tasks holds their jobs.
    const bool goes_on = change.reopened && tx.one(has_ended, id).value_or(false);
    const auto after =
        tx.one(change_job, {id, change.total, change.open, change.processed, change.failed, change.reopened, now});
    if (!after) continue;
    if (after->began) note_job_began(tx, id, now);
    if (goes_on) note_job_goes_on(tx, id, now);
    if (!after->ended) continue;
    note_job_ended(tx, id, now);
    ended.push_back(id);
  }
  // What waited for them moves with the rest: these tasks were open and stay so, hence no job changes.
  for (const auto& id : ended)
    for (const auto& task : release_jobs_that_waited_for(tx, id)) moved(task.refs(), TaskStatus::blocked, task.status);
}

void Effects::apply_counts(Write& tx) {
  if (tx.engine() == Engine::sqlite) {
    for (const auto& [key, by] : counts_)
      if (by != 0) tx.run(add_count, {key.first, key.second, by});
    return;
  }
  std::vector<std::int64_t> queues, by;
  std::vector<std::string> statuses;
  for (const auto& [key, delta] : counts_) {
    if (delta == 0) continue;
    queues.push_back(key.first);
    statuses.emplace_back(boost::describe::enum_to_string(key.second, ""));
    by.push_back(delta);
  }
  if (!queues.empty()) tx.run(add_counts, queues, statuses, by);
}

}  // namespace quarry::queue
