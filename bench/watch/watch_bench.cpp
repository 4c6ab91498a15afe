/// Health and statistics of a database with many tasks.
///
///     quarry-bench-watch --engine sqlite --tasks 10000000 [--program build/release/quarry]
///
/// Puts the tasks in by SQL, past the queue's functions, in the proportions of a crawl that is half done: half completed, a
/// third waiting for a thousand hosts, the rest without a host, scheduled, dead and under way; the counters are those of the
/// rows. Then it asks again and again: the first answer (a handle that has just been opened), the median and the slowest of
/// the others; with `--program` also the whole process, from its start to its end.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <vector>

#include "bench/support/program.hpp"
#include "bench/support/scratch.hpp"
#include "quarry/core/error.hpp"
#include "quarry/ops/health.hpp"
#include "quarry/ops/metrics.hpp"
#include "quarry/ops/stats.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int hosts = 1'000;
constexpr std::int64_t rows_per_transaction = 500'000;

struct Settings {
  std::string engine = "sqlite";
  std::int64_t tasks = 10'000'000;
  int rounds = 51;
  std::string program;
};

double ms_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

void run_script(sql::DedicatedSession& session, const std::string& sql) { session.session().run_script("bench.fill", sql); }

/// What a task is, by the last two digits of its number `i`.
constexpr const char* status_of_task =
    "case when i % 100 < 50 then 'completed' when i % 100 < 90 then 'pending' when i % 100 < 98 then 'scheduled'"
    " when i % 100 = 98 then 'dead' when i % 1000 = 999 then 'processing' else 'cancelled' end";
constexpr const char* host_of_task = "case when i % 100 >= 50 and i % 100 < 83 then i % 1000 + 1 end";

void fill_sqlite(Database& db, std::int64_t tasks) {
  struct Index {
    std::string name;
    std::string sql;
  };
  std::vector<Index> indexes;
  auto session = db.backend().dedicated();
  const auto now = db.now().us;
  {
    const sql::Statement all{
        "bench.indexes",
        "select name, sql from sqlite_schema where type = 'index' and tbl_name = 'task_queue' and sql is not null", "",
        true};
    sql::OpenCursor cursor(session->session().execute(all, {}));
    while (cursor->step()) indexes.push_back({std::string(cursor->get_text(0)), std::string(cursor->get_text(1))});
  }
  for (const auto& index : indexes) run_script(*session, "drop index " + index.name);
  run_script(*session, "insert into queues (id, name) values (1, 'bench')");
  run_script(*session,
             fmt::format("with recursive n(i) as (select 1 union all select i + 1 from n where i < {})"
                         " insert into hosts (id, host_key, delay_ms) select i, 'host-' || i || '.example', 1000 from n",
                         hosts));
  for (std::int64_t from = 1; from <= tasks; from += rows_per_transaction)
    run_script(
        *session,
        fmt::format(
            "with recursive n(i) as (select {} union all select i + 1 from n where i < {}), t(i, status, host_id) as "
            "(select i, {}, {} from n)"
            " insert into task_queue (id, queue_id, task_type, payload, status, scheduled_at, rank, host_id, lease_until, "
            "started_at, completed_at, created_at)"
            " select i, 1, 'page', '{{\"url\": \"https://example.org/some/page/or/other.html\", \"depth\": 3}}', status,"
            " case when status = 'scheduled' then {now} + 3600000000 else {now} - 60000000 + i end, {now} + i, host_id,"
            " case when status = 'processing' then {now} + 600000000 end, case when status in ('processing', 'completed') "
            "then {now} end,"
            " case when status in ('completed', 'dead', 'cancelled') then {now} - (({tasks} - i) * 100) end, {now} from t",
            from, std::min(tasks, from + rows_per_transaction - 1), status_of_task, host_of_task, fmt::arg("now", now),
            fmt::arg("tasks", tasks)));
  for (const auto& index : indexes) run_script(*session, index.sql);
  run_script(
      *session,
      "insert into queue_counts (queue_id, status, shard, n) select 1, status, 0, count(*) from task_queue group by status");
  run_script(*session,
             "with c(host_id, n) as (select host_id, count(*) from task_queue where status = 'pending' and host_id is not "
             "null group by host_id)"
             " update hosts set pending = (select n from c where host_id = hosts.id) where id in (select host_id from c)");
}

void fill_postgres(Database& db, std::int64_t tasks) {
  auto session = db.backend().dedicated();
  run_script(*session, "reset role");
  // Keys that point nowhere cannot come of this, so nobody need look ten million times.
  run_script(*session,
             "set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '512MB'; set "
             "statement_timeout = 0");
  run_script(*session,
             "create temp table kept_indexes as select indexname, indexdef from pg_indexes where tablename = 'task_queue' "
             "and indexname like 'idx%'");
  run_script(*session,
             "do $$ declare r record; begin for r in select indexname from kept_indexes loop execute 'drop index ' || "
             "r.indexname; end loop; end $$");
  run_script(*session, "insert into queues (id, name) values (1, 'bench')");
  run_script(*session, fmt::format("insert into hosts (id, host_key, delay_ms) select i, 'host-' || i || '.example', 1000 "
                                   "from generate_series(1, {}) i",
                                   hosts));
  run_script(*session, fmt::format("insert into task_queue (id, queue_id, task_type, payload, status, scheduled_at, rank, "
                                   "host_id, lease_until, started_at, completed_at, created_at)"
                                   " select i, 1, 'page', '{{\"url\": \"https://example.org/some/page/or/other.html\", "
                                   "\"depth\": 3}}', status::task_status,"
                                   " case when status = 'scheduled' then now() + interval '1 hour' else now() - interval '1 "
                                   "minute' end, extract(epoch from now())::bigint * 1000000 + i,"
                                   " host_id, case when status = 'processing' then now() + interval '10 minutes' end,"
                                   " case when status in ('processing', 'completed') then now() end,"
                                   " case when status in ('completed', 'dead', 'cancelled') then now() - ({} - i) * "
                                   "interval '100 microseconds' end, now()"
                                   " from (select i, {} as status, {} as host_id from generate_series(1, {}) i) t",
                                   tasks, status_of_task, host_of_task, tasks));
  run_script(
      *session,
      "do $$ declare r record; begin for r in select indexdef from kept_indexes loop execute r.indexdef; end loop; end $$");
  run_script(
      *session,
      "insert into queue_counts (queue_id, status, shard, n) select 1, status, 0, count(*) from task_queue group by status");
  run_script(*session,
             "update hosts h set pending = c.n from (select host_id, count(*) as n from task_queue where status = 'pending' "
             "and host_id is not null group by host_id) c where c.host_id = h.id");
  session.reset();
  db.backend().run_outside_transaction("bench.analyze", "vacuum analyze");
}

void measure(const std::string& what, int rounds, const std::function<void()>& ask) {
  auto start = Clock::now();
  ask();
  const auto first = ms_since(start);
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    start = Clock::now();
    ask();
    times.push_back(ms_since(start));
  }
  std::ranges::sort(times);
  fmt::print("{:<24} first {:7.2f} ms   median {:7.2f} ms   slowest {:7.2f} ms\n", what, first, times[times.size() / 2],
             times.back());
}

void run(const Settings& settings) {
  const auto engine = parse_engine(settings.engine);
  Scratch scratch(engine);
  auto start = Clock::now();
  if (engine == Engine::sqlite)
    fill_sqlite(scratch.db(), settings.tasks);
  else
    fill_postgres(scratch.db(), settings.tasks);
  fmt::print("{} tasks on {} put in within {:.0f} s\n", settings.tasks, settings.engine, ms_since(start) / 1000);

  const auto db = Database::open(scratch.url());
  measure("health", settings.rounds, [&] { ops::check_health(db); });
  measure("stats", settings.rounds, [&] { ops::statistics(db); });
  measure("both, as metrics", settings.rounds, [&] {
    const auto health = ops::check_health(db);
    const auto figures = ops::statistics(db);
    ops::metrics_text({.health = &health, .statistics = &figures});
  });
  for (const auto& check : ops::check_health(db).checks)
    fmt::print("  {:<16} {:7.2f} ms  {}\n", check.name, static_cast<double>(check.duration_us) / 1e3, check.message);
  const auto figures = ops::statistics(db);
  for (const auto& table : figures.tables)
    if (table.name == "task_queue" || table.name == "hosts")
      fmt::print("  {:<16} {} rows, {:.0f} MB; the database {:.0f} MB\n", table.name, table.rows,
                 static_cast<double>(table.bytes.value_or(0)) / 1e6, static_cast<double>(figures.database_bytes) / 1e6);
  if (settings.program.empty()) return;
  for (const auto* command : {"health --ready", "stats", "metrics"})
    measure(fmt::format("quarry {}", command), settings.rounds, [&] {
      const auto line = fmt::format("'{}' {} --db '{}' > /dev/null", settings.program, command, scratch.url());
      if (std::system(line.c_str()) != 0) throw_invalid("the program failed: " + line);
    });
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  quarry::bench::Settings settings;
  CLI::App app{"Health and statistics of a database with many tasks"};
  app.add_option("--engine", settings.engine, "sqlite or postgres");
  app.add_option("--tasks", settings.tasks, "tasks in the queue");
  app.add_option("--rounds", settings.rounds, "times to ask");
  app.add_option("--program", settings.program, "quarry, to measure the whole process too");
  return quarry::bench::run_program(app, argc, argv, [&] { quarry::bench::run(settings); });
}
