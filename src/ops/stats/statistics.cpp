#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "ops/health/checks.hpp"
#include "ops/stats/tables.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/sql/backend.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::ops {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int queues_max = 1'000;
/// Queues whose first in line is looked for: those with the most that waits.
constexpr std::size_t lines_max = 16;
constexpr int jobs_counted = 1'000;
constexpr int ended_looked_at = 2'000;
constexpr std::chrono::microseconds rate_window = std::chrono::minutes(1);

struct QueueCount {
  queue::QueueId id;
  std::string name;
  bool is_paused;
  std::optional<queue::TaskStatus> status;
  std::int64_t n;
};
BOOST_DESCRIBE_STRUCT(QueueCount, (), (id, name, is_paused, status, n))
constexpr sql::Query<QueueCount(int)> queue_counts{
    "stats.queues",
    sql::sqlite("select q.id, q.name, q.is_paused, c.status, coalesce(sum(c.n), 0) as n"
                " from (select id, name, is_paused from queues order by name limit $1) q"
                " left join queue_counts c on c.queue_id = q.id group by q.id, c.status order by q.name"),
    sql::postgres("select q.id::bigint as id, q.name, q.is_paused, c.status, coalesce(sum(c.n), 0)::bigint as n"
                  " from (select id, name, is_paused from queues order by name limit $1) q"
                  " left join queue_counts c on c.queue_id = q.id group by q.id, q.name, q.is_paused, c.status"
                  " order by q.name")};

struct EndedRow {
  std::int64_t ended;
  std::int64_t succeeded;
  std::optional<Instant> first;
};
BOOST_DESCRIBE_STRUCT(EndedRow, (), (ended, succeeded, first))
constexpr sql::Query<EndedRow(Instant, int)> ended_lately{
    "stats.ended",
    "select count(*) as ended, count(case when status = 'completed' then 1 end) as succeeded, min(completed_at) as first"
    " from (select status, completed_at from task_queue where completed_at > $1 order by completed_at desc limit $2) e"};

struct HostRow {
  std::string host;
  std::int64_t pending;
  std::int64_t in_flight;
  std::optional<Instant> blocked_until;
};
BOOST_DESCRIBE_STRUCT(HostRow, (), (host, pending, in_flight, blocked_until))
constexpr sql::Query<HostRow(Instant, int)> busy_hosts{
    "stats.hosts",
    sql::sqlite(
        "select host_key as host, pending, in_flight, case when blocked_until > $1 then blocked_until end as blocked_until"
        " from hosts where id in (select id from (select id from hosts where due_at is not null order by due_at"
        " limit 1000) union select host_id from (select host_id from task_queue where status = 'processing'"
        " order by lease_until limit 1000) where host_id is not null)"
        " order by pending + in_flight desc, host_key limit $2"),
    sql::postgres("select host_key as host, pending, in_flight::bigint as in_flight,"
                  " case when blocked_until > $1 then blocked_until end as blocked_until"
                  " from hosts where id in (select id from (select id from hosts where due_at is not null order by due_at"
                  " limit 1000) d union select host_id from (select host_id from task_queue where status = 'processing'"
                  " order by lease_until limit 1000) p where host_id is not null)"
                  " order by pending + in_flight desc, host_key limit $2")};

constexpr sql::Query<std::int64_t(int)> count_open_jobs{
    "stats.open_jobs",
    "select (select count(*) from (select 1 from scraping_jobs where status = 'pending' limit $1) p)"
    " + (select count(*) from (select 1 from scraping_jobs where status = 'running' limit $1) r)"};

struct SizeRow {
  std::int64_t bytes;
  std::optional<std::int64_t> free_bytes;
};
BOOST_DESCRIBE_STRUCT(SizeRow, (), (bytes, free_bytes))
constexpr sql::Query<SizeRow()> database_size{
    "stats.size",
    sql::sqlite("select page_count * page_size as bytes, freelist_count * page_size as free_bytes"
                " from pragma_page_count, pragma_page_size, pragma_freelist_count"),
    sql::postgres("select pg_database_size(current_database()) as bytes, null::bigint as free_bytes")};

std::int64_t& figure_of(QueueFigures& figures, queue::TaskStatus status) {
  using queue::TaskStatus;
  switch (status) {
    case TaskStatus::scheduled:
      return figures.scheduled;
    case TaskStatus::pending:
      return figures.pending;
    case TaskStatus::blocked:
      return figures.blocked;
    case TaskStatus::paused:
      return figures.paused;
    case TaskStatus::processing:
      return figures.processing;
    case TaskStatus::completed:
      return figures.completed;
    case TaskStatus::failed:
      return figures.failed;
    case TaskStatus::cancelled:
      return figures.cancelled;
    case TaskStatus::dead:
      return figures.dead;
  }
  throw_bug("a task's state has no figure");
}

void add_queues(Read& tx, Statistics& figures) {
  std::vector<queue::QueueId> ids;
  for (const auto& row : tx.all(queue_counts, queues_max)) {
    if (ids.empty() || ids.back() != row.id) {
      ids.push_back(row.id);
      figures.queues.push_back({.name = row.name, .is_paused = row.is_paused, .oldest_pending_us = {}});
    }
    if (row.status) figure_of(figures.queues.back(), *row.status) = row.n;
  }
  std::vector<std::size_t> longest(ids.size());
  for (std::size_t i = 0; i < longest.size(); ++i) longest[i] = i;
  std::ranges::stable_sort(longest, std::greater(), [&](std::size_t i) { return figures.queues[i].pending; });
  longest.resize(std::min(longest.size(), lines_max));
  for (const auto i : longest) {
    if (figures.queues[i].pending == 0) continue;
    const auto oldest = queue::oldest_pending(tx, ids[i]);
    if (oldest) figures.queues[i].oldest_pending_us = std::max<std::int64_t>((tx.now() - *oldest).count(), 0);
  }
}

RateFigures rates_of(Read& tx) {
  const auto now = tx.now();
  const auto row = tx.value(ended_lately, now - rate_window, ended_looked_at);
  RateFigures rates{.ended = row.ended, .succeeded = row.succeeded, .window_us = rate_window.count()};
  if (row.ended >= ended_looked_at && row.first) rates.window_us = std::max<std::int64_t>((now - *row.first).count(), 1);
  rates.ended_per_second = static_cast<double>(rates.ended) * 1e6 / static_cast<double>(rates.window_us);
  return rates;
}

void add_tables(Read& tx, const StatisticsOptions& options, Statistics& figures) {
  figures.tables = tx.engine() == Engine::sqlite ? stats::tables_of_sqlite(tx, options.exact)
                                                 : stats::tables_of_postgres(tx, options.exact);
  // The queue's counters know better.
  const auto tasks = std::ranges::find(figures.tables, "task_queue", &TableFigures::name);
  if (tasks == figures.tables.end() || figures.queues.size() >= queues_max || options.exact) return;
  tasks->rows = 0;
  for (auto& queue : figures.queues)
    for (int status = 0; status < 9; ++status) tasks->rows += figure_of(queue, static_cast<queue::TaskStatus>(status));
  tasks->exactness = Exactness::exact;
}

PoolFigures pool_of(const Database& db) {
  const auto stats = db.stats();
  const auto number = [](auto n) { return static_cast<std::int64_t>(n); };
  return {.connections = number(stats.connections),
          .connections_idle = number(stats.connections_idle),
          .connections_max = number(db.backend().options().connections_max) + (db.engine() == Engine::sqlite ? 1 : 0),
          .waiters = number(stats.waiters),
          .reads = number(stats.reads),
          .writes = number(stats.writes),
          .commits = number(stats.commits),
          .retries = number(stats.retries)};
}

std::optional<std::int64_t> log_bytes_of(const Database& db) {
  constexpr std::string_view scheme = "sqlite:";
  if (db.engine() != Engine::sqlite || !db.display_url().starts_with(scheme)) return std::nullopt;
  std::error_code none;
  const auto bytes = std::filesystem::file_size(db.display_url().substr(scheme.size()) + "-wal", none);
  return none ? 0 : static_cast<std::int64_t>(bytes);
}

}  // namespace

Statistics statistics(const Database& db, const StatisticsOptions& options) {
  const auto begin = SteadyClock::now();
  auto figures = db.read([&](Read& tx) {
    Statistics made{.engine = std::string(sql::to_string(db.engine())),
                    .at = tx.now(),
                    .free_bytes = {},
                    .log_bytes = {},
                    .last_verified_backup = health::last_verified_backup(tx),
                    .queues = {},
                    .rates = {},
                    .hosts = {},
                    .cache = {},
                    .pool = {},
                    .tables = {}};
    const auto size = tx.value(database_size);
    made.database_bytes = size.bytes;
    made.free_bytes = size.free_bytes;
    if (const auto head = system::audit_head(tx)) made.audit_entries = head->seq;
    add_queues(tx, made);
    made.open_jobs = tx.value(count_open_jobs, jobs_counted + 1);
    if (made.open_jobs > jobs_counted) made.open_jobs_exactness = Exactness::at_least;
    made.rates = rates_of(tx);
    for (auto& row : tx.all(busy_hosts, made.at, std::clamp(options.hosts_max, 0, 1'000)))
      made.hosts.push_back({std::move(row.host), row.pending, row.in_flight, row.blocked_until});
    const auto asked = cache::asked(tx);
    const auto all = asked.hits + asked.misses;
    made.cache = {asked.hits, asked.misses, all == 0 ? 0.0 : static_cast<double>(asked.hits) / static_cast<double>(all)};
    if (options.tables) add_tables(tx, options, made);
    return made;
  });
  figures.pool = pool_of(db);
  figures.log_bytes = log_bytes_of(db);
  figures.duration_us = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin).count();
  return figures;
}

}  // namespace quarry::ops
