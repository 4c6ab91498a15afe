#include "quarry/ops/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ops/metrics/metric_writer.hpp"

namespace quarry::ops {
namespace {

using metrics::MetricWriter;

constexpr std::size_t queues_named = 50;
constexpr std::string_view others = "(other)";

double in_seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }
double value_of(std::int64_t count) { return static_cast<double>(count); }

void add_health(MetricWriter& writer, const HealthReport& health) {
  writer.only("quarry_health_live", health.live ? 1 : 0);
  writer.only("quarry_health_ready", health.ready ? 1 : 0);
  writer.begin("quarry_health_check_state");
  for (const auto& check : health.checks) writer.sample(static_cast<double>(check.state), {{"check", check.name}});
  writer.begin("quarry_health_check_duration_seconds");
  for (const auto& check : health.checks) writer.sample(in_seconds(check.duration_us), {{"check", check.name}});
}

void add_sizes(MetricWriter& writer, const Statistics& figures) {
  if (figures.last_verified_backup)
    writer.only("quarry_backup_last_verified_timestamp_seconds", in_seconds(figures.last_verified_backup->us));
  writer.only("quarry_database_size_bytes", value_of(figures.database_bytes));
  if (figures.free_bytes) writer.only("quarry_database_free_bytes", value_of(*figures.free_bytes));
  if (figures.log_bytes) writer.only("quarry_database_log_bytes", value_of(*figures.log_bytes));
  if (figures.tables.empty()) return;
  writer.begin("quarry_table_rows");
  for (const auto& table : figures.tables)
    if (table.exactness != Exactness::unknown) writer.sample(value_of(table.rows), {{"table", table.name}});
  writer.begin("quarry_table_size_bytes");
  for (const auto& table : figures.tables)
    if (table.bytes) writer.sample(value_of(*table.bytes), {{"table", table.name}});
}

constexpr std::array<std::pair<std::string_view, std::int64_t QueueFigures::*>, 9> task_states{{
    {"scheduled", &QueueFigures::scheduled},
    {"pending", &QueueFigures::pending},
    {"blocked", &QueueFigures::blocked},
    {"paused", &QueueFigures::paused},
    {"processing", &QueueFigures::processing},
    {"completed", &QueueFigures::completed},
    {"failed", &QueueFigures::failed},
    {"cancelled", &QueueFigures::cancelled},
    {"dead", &QueueFigures::dead},
}};

/// Those with the most that is open, by name, and the sum of the others at the end.
std::vector<QueueFigures> queues_to_name(std::vector<QueueFigures> queues) {
  if (queues.size() <= queues_named) return queues;
  const auto open = [](const QueueFigures& q) { return q.scheduled + q.pending + q.blocked + q.paused + q.processing; };
  std::ranges::stable_sort(queues, std::greater(), open);
  QueueFigures rest{.name = std::string(others), .oldest_pending_us = {}};
  for (std::size_t i = queues_named; i < queues.size(); ++i)
    for (const auto& [name, member] : task_states) rest.*member += queues[i].*member;
  queues.resize(queues_named);
  std::ranges::sort(queues, {}, &QueueFigures::name);
  queues.push_back(std::move(rest));
  return queues;
}

void add_queues(MetricWriter& writer, const Statistics& figures) {
  const auto queues = queues_to_name(figures.queues);
  writer.begin("quarry_queue_tasks");
  for (const auto& queue : queues)
    for (const auto& [state, member] : task_states)
      writer.sample(value_of(queue.*member), {{"queue", queue.name}, {"state", state}});
  writer.begin("quarry_queue_paused");
  for (const auto& queue : queues)
    if (queue.name != others) writer.sample(queue.is_paused ? 1 : 0, {{"queue", queue.name}});
  writer.begin("quarry_queue_oldest_pending_seconds");
  for (const auto& queue : queues)
    if (queue.oldest_pending_us) writer.sample(in_seconds(*queue.oldest_pending_us), {{"queue", queue.name}});
}

void add_work(MetricWriter& writer, const Statistics& figures) {
  const auto& rates = figures.rates;
  writer.only("quarry_tasks_ended_per_second", rates.ended_per_second);
  if (rates.ended > 0) writer.only("quarry_tasks_success_ratio", value_of(rates.succeeded) / value_of(rates.ended));
  writer.only("quarry_jobs_open", value_of(figures.open_jobs));
  writer.begin("quarry_host_pending_tasks");
  for (const auto& host : figures.hosts) writer.sample(value_of(host.pending), {{"host", host.host}});
  writer.begin("quarry_host_in_flight_tasks");
  for (const auto& host : figures.hosts) writer.sample(value_of(host.in_flight), {{"host", host.host}});
  writer.begin("quarry_host_blocked");
  for (const auto& host : figures.hosts) writer.sample(host.blocked_until ? 1 : 0, {{"host", host.host}});
  writer.only("quarry_cache_hits_total", value_of(figures.cache.hits));
  writer.only("quarry_cache_misses_total", value_of(figures.cache.misses));
  writer.only("quarry_audit_entries_total", value_of(figures.audit_entries));
}

void add_pool(MetricWriter& writer, const PoolFigures& pool) {
  writer.begin("quarry_pool_connections");
  writer.sample(value_of(pool.connections_idle), {{"state", "idle"}});
  writer.sample(value_of(pool.connections - pool.connections_idle), {{"state", "busy"}});
  writer.only("quarry_pool_connections_max", value_of(pool.connections_max));
  writer.only("quarry_pool_waiters", value_of(pool.waiters));
  writer.only("quarry_database_reads_total", value_of(pool.reads));
  writer.only("quarry_database_writes_total", value_of(pool.writes));
  writer.only("quarry_database_commits_total", value_of(pool.commits));
  writer.only("quarry_database_retries_total", value_of(pool.retries));
}

void add_histogram(MetricWriter& writer, std::string_view kind, const TransactionFigures& figures) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < TransactionFigures::ends_us.size(); ++i) {
    sum += figures.buckets[i];
    const auto end = fmt::format("{}", in_seconds(TransactionFigures::ends_us[i]));
    writer.sample(value_of(sum), {{"kind", kind}, {"le", end}}, "_bucket");
  }
  writer.sample(value_of(figures.runs), {{"kind", kind}, {"le", "+Inf"}}, "_bucket");
  writer.sample(in_seconds(figures.total_us), {{"kind", kind}}, "_sum");
  writer.sample(value_of(figures.runs), {{"kind", kind}}, "_count");
}

void add_queries(MetricWriter& writer, const QueryWatch& watch) {
  // All that the watch tells apart: a choice among them would change, and counters would go back.
  const auto queries = watch.queries();
  writer.begin("quarry_query_duration_seconds");
  for (const auto& query : queries) {
    writer.sample(in_seconds(query.total_us), {{"query", query.name}}, "_sum");
    writer.sample(value_of(query.runs), {{"query", query.name}}, "_count");
  }
  writer.begin("quarry_query_failures_total");
  for (const auto& query : queries) writer.sample(value_of(query.failures), {{"query", query.name}});
  const auto reads = watch.reads();
  const auto writes = watch.writes();
  writer.begin("quarry_transaction_duration_seconds");
  add_histogram(writer, "read", reads);
  add_histogram(writer, "write", writes);
  writer.begin("quarry_transaction_failures_total");
  writer.sample(value_of(reads.failures), {{"kind", "read"}});
  writer.sample(value_of(writes.failures), {{"kind", "write"}});
}

}  // namespace

std::string metrics_text(const MetricSources& sources) {
  MetricWriter writer;
  if (!sources.version.empty()) {
    writer.begin("quarry_build_info");
    writer.sample(1, {{"version", sources.version}});
  }
  if (sources.health) add_health(writer, *sources.health);
  if (sources.statistics) {
    add_sizes(writer, *sources.statistics);
    add_queues(writer, *sources.statistics);
    add_work(writer, *sources.statistics);
    add_pool(writer, sources.statistics->pool);
  }
  if (sources.queries) add_queries(writer, *sources.queries);
  for (const auto& count : sources.counts) writer.only(count.family, count.value);
  if (sources.process) metrics::add_process(writer);
  return writer.take();
}

}  // namespace quarry::ops
