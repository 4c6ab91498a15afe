#include "ops/metrics/metric_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "quarry/core/error.hpp"

namespace quarry::ops {
namespace {

constexpr auto all_families() {
  using enum MetricType;
  using enum MetricScope;
  return std::array{
      MetricFamily{"quarry_build_info", gauge, process, "1, labelled with the version of the program"},
      MetricFamily{"quarry_health_live", gauge, database, "1 while the database answers"},
      MetricFamily{"quarry_health_ready", gauge, database, "1 while work can be done"},
      MetricFamily{"quarry_health_check_state", gauge, database,
                   "What a check found: 0 ok, 1 notice, 2 warning, 3 failed, 4 skipped"},
      MetricFamily{"quarry_health_check_duration_seconds", gauge, database, "How long a check took"},
      MetricFamily{"quarry_backup_last_verified_timestamp_seconds", gauge, database,
                   "When the last backup was restored and found equal, since 1970"},
      MetricFamily{"quarry_database_size_bytes", gauge, database, "Size of the database"},
      MetricFamily{"quarry_database_free_bytes", gauge, database, "Free pages in the database's file (SQLite)"},
      MetricFamily{"quarry_database_log_bytes", gauge, database, "Size of the write-ahead log (SQLite)"},
      MetricFamily{"quarry_table_rows", gauge, database, "Rows of a table, estimated where it is large"},
      MetricFamily{"quarry_table_size_bytes", gauge, database, "Size of a table with its indexes, estimated on SQLite"},
      MetricFamily{"quarry_queue_tasks", gauge, database, "Tasks of a queue in a state"},
      MetricFamily{"quarry_queue_paused", gauge, database, "1 while a queue is paused"},
      MetricFamily{"quarry_queue_oldest_pending_seconds", gauge, database, "How long the first in line has been due"},
      MetricFamily{"quarry_tasks_ended_per_second", gauge, database, "Tasks that ended, over the last minute at most"},
      MetricFamily{"quarry_tasks_success_ratio", gauge, database,
                   "Of the tasks that ended lately, the share that succeeded"},
      MetricFamily{"quarry_jobs_open", gauge, database, "Jobs that have not ended, counted to a thousand or two"},
      MetricFamily{"quarry_host_pending_tasks", gauge, database, "Tasks that wait for a host, of the hosts with the most"},
      MetricFamily{"quarry_host_in_flight_tasks", gauge, database, "Tasks under way at a host, of the hosts with the most"},
      MetricFamily{"quarry_host_blocked", gauge, database, "1 while a host is left alone"},
      MetricFamily{"quarry_cache_hits_total", counter, database, "Times that the cache had what was asked for"},
      MetricFamily{"quarry_cache_misses_total", counter, database, "Times that it had not"},
      MetricFamily{"quarry_audit_entries_total", counter, database, "Entries written to the audit log"},
      MetricFamily{"quarry_pool_connections", gauge, process, "Open connections of this process"},
      MetricFamily{"quarry_pool_connections_max", gauge, process, "Connections that it may open"},
      MetricFamily{"quarry_pool_waiters", gauge, process, "Callers that wait for a connection"},
      MetricFamily{"quarry_database_reads_total", counter, process, "Read transactions of this process"},
      MetricFamily{"quarry_database_writes_total", counter, process,
                   "Write transactions of this process that were committed"},
      MetricFamily{"quarry_database_commits_total", counter, process,
                   "Durable commits; fewer than writes where writes share them"},
      MetricFamily{"quarry_database_retries_total", counter, process, "Transactions that were run again"},
      MetricFamily{"quarry_query_duration_seconds", summary, process, "Time in the engine, by the statement's name"},
      MetricFamily{"quarry_query_failures_total", counter, process, "Statements that failed, by name"},
      MetricFamily{"quarry_transaction_duration_seconds", histogram, process,
                   "Closures with their wait, tries and commit, by kind"},
      MetricFamily{"quarry_transaction_failures_total", counter, process, "Closures that failed, by kind"},
      MetricFamily{"quarry_worker_pages_total", counter, worker, "Pages that were fetched and committed"},
      MetricFamily{"quarry_worker_failures_total", counter, worker, "Tries that failed"},
      MetricFamily{"quarry_worker_leases_lost_total", counter, worker, "Tasks that went to another worker meanwhile"},
      MetricFamily{"quarry_worker_fetched_bytes_total", counter, worker, "Bytes of bodies"},
      MetricFamily{"quarry_worker_links_total", counter, worker, "New pages that were found"},
      MetricFamily{"quarry_worker_items_total", counter, worker, "Items that were extracted"},
      MetricFamily{"quarry_worker_commits_total", counter, worker, "Commits of results"},
      MetricFamily{"quarry_worker_claims_total", counter, worker, "Times that the queue was asked for tasks"},
      MetricFamily{"process_cpu_seconds_total", counter, process, "Processor time of this process"},
      MetricFamily{"process_resident_memory_bytes", gauge, process, "Memory of this process"},
      MetricFamily{"process_open_fds", gauge, process, "Open files of this process"},
      MetricFamily{"process_start_time_seconds", gauge, process, "When this process began, since 1970"},
  };
}
constexpr auto families = all_families();

std::string escaped(std::string_view text, bool in_quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && in_quotes)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::abs(value) < 1e15 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

}  // namespace

std::span<const MetricFamily> metric_families() noexcept { return families; }

namespace metrics {

void MetricWriter::begin(std::string_view family) {
  const auto found = std::ranges::find(families, family, &MetricFamily::name);
  if (found == families.end()) throw_bug(fmt::format("the metric '{}' is not listed", family));
  family_ = found->name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", found->name, escaped(found->help, false), found->name,
                       boost::describe::enum_to_string(found->type, "untyped"));
}

void MetricWriter::sample(double value, std::initializer_list<Label> labels, std::string_view suffix) {
  text_ += family_;
  text_ += suffix;
  char before = '{';
  for (const auto& [name, content] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", before, name, escaped(content, true));
    before = ',';
  }
  if (before == ',') text_ += '}';
  text_ += fmt::format(" {}\n", number(value));
}

}  // namespace metrics
}  // namespace quarry::ops
