#include "queue/effects.hpp"

#include <boost/describe.hpp>
#include <string>

#include "queue/release_blocked.hpp"

namespace quarry::queue {
namespace {

struct CountDelta {
  std::int64_t queue_id;
  TaskStatus status;
  std::int64_t by;
};
BOOST_DESCRIBE_STRUCT(CountDelta, (), (queue_id, status, by))

// The shard is the backend's, so that connections seldom meet in one row.
constexpr sql::Command<void(CountDelta)> add_count{
    "queue.add_count",
    sql::sqlite("insert into queue_counts (queue_id, status, shard, n) values ($1, $2, 0, $3)"
                " on conflict (queue_id, status, shard) do update set n = n + excluded.n"),
    sql::postgres("")};

constexpr sql::Command<void(std::vector<std::int64_t>, std::vector<std::string>, std::vector<std::int64_t>)> add_counts{
    "queue.add_counts", sql::sqlite(""),
    sql::postgres("insert into queue_counts (queue_id, status, shard, n)"
                  " select d.queue_id, d.status::task_status, pg_backend_pid() % 16, d.by"
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

constexpr sql::Command<void(std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>,
                            Instant)>
    change_hosts{"queue.change_hosts", sql::sqlite(""),
                 sql::postgres("with d as (select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
                               " as d (id, pending, in_flight, started)),"
                               " locked as materialized (select h.id from hosts h where h.id = any($1) order by h.id for update)"
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
  bool started;
  Instant now;
  bool reopened;
};
BOOST_DESCRIBE_STRUCT(JobDelta, (), (id, total, open, processed, failed, started, now, reopened))

/// A job that this change has ended.
struct JobAfter {
  JobId id;
  bool ended;
};
BOOST_DESCRIBE_STRUCT(JobAfter, (), (id, ended))

// A job runs from its first claim and ends with its last task: `failed` when every one of them failed, else `completed`. When one of its
// ended tasks is tried again, it runs again; a cancelled job stays cancelled.
constexpr sql::Command<JobAfter(JobDelta)> change_job{
    "queue.change_job",
    sql::sqlite(
        "update scraping_jobs set total_items = total_items + $2, open_tasks = open_tasks + $3,"
        " processed_items = processed_items + $4, failed_items = failed_items + $5,"
        " progress = case when total_items + $2 = 0 then 0"
        "  else min(100, (processed_items + $4 + failed_items + $5) * 100 / (total_items + $2)) end,"
        " started_at = case when $6 and started_at is null then $7 else started_at end,"
        " completed_at = case when $3 < 0 and open_tasks + $3 = 0 and status in ('pending', 'running') then $7"
        "  when $8 and status in ('completed', 'failed') then null else completed_at end,"
        " status = case when $8 and status in ('completed', 'failed') then 'running'"
        "  when status not in ('pending', 'running') then status"
        "  when $3 < 0 and open_tasks + $3 = 0 then"
        "   case when processed_items + $4 = 0 and failed_items + $5 > 0 then 'failed' else 'completed' end"
        "  when $6 then 'running' else status end,"
        " updated_at = $7 where id = $1"
        " returning id, ($3 < 0 and open_tasks = 0) as ended"),
    sql::postgres(
        "update scraping_jobs set total_items = total_items + $2, open_tasks = open_tasks + $3,"
        " processed_items = processed_items + $4, failed_items = failed_items + $5,"
        " progress = case when total_items + $2 = 0 then 0"
        "  else least(100, (processed_items + $4 + failed_items + $5) * 100 / (total_items + $2)) end,"
        " started_at = case when $6 and started_at is null then $7 else started_at end,"
        " completed_at = case when $3 < 0 and open_tasks + $3 = 0 and status in ('pending', 'running') then $7"
        "  when $8 and status in ('completed', 'failed') then null else completed_at end,"
        " status = case when $8 and status in ('completed', 'failed') then 'running'"
        "  when status not in ('pending', 'running') then status"
        "  when $3 < 0 and open_tasks + $3 = 0 then"
        "   case when processed_items + $4 = 0 and failed_items + $5 > 0 then 'failed'::job_status else 'completed'::job_status end"
        "  when $6 then 'running'::job_status else status end,"
        " updated_at = $7 where id = $1"
        " returning id, ($3 < 0 and open_tasks = 0) as ended")};

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
  if (!hosts_.empty()) apply_hosts(tx);
  if (!jobs_.empty()) apply_jobs(tx);
  apply_counts(tx);
  counts_.clear();
  hosts_.clear();
  jobs_.clear();
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
  std::vector<JobId> ended;
  for (const auto& [id, change] : jobs_) {
    const auto after = tx.one(change_job, {id, change.total, change.open, change.processed, change.failed, change.started, tx.now(),
                                       change.reopened});
    if (after && after->ended) ended.push_back(id);
  }
  for (const auto& id : ended) release_jobs_that_waited_for(tx, id);
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
