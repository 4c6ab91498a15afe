#include "quarry/ops/metrics.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "quarry/core/error.hpp"
#include "unit/ops_watch/exposition.hpp"

namespace quarry::test {
namespace {

using namespace ops;
using testing::IsEmpty;

Statistics some_statistics() {
  Statistics figures;
  figures.engine = "sqlite";
  figures.database_bytes = 4096;
  figures.free_bytes = 0;
  figures.last_verified_backup = Instant{1'772'366'400'500'000};
  figures.queues.push_back({.name = "crawl", .pending = 12'345'678'901, .dead = 1, .oldest_pending_us = 1'500'000});
  figures.rates = {.ended = 4, .succeeded = 3, .window_us = 60'000'000, .ended_per_second = 4 / 60.0};
  figures.hosts.push_back({.host = "a.example", .pending = 7, .in_flight = 1, .blocked_until = {}});
  figures.cache = {.hits = 3, .misses = 1, .hit_rate = 0.75};
  figures.tables.push_back({.name = "users", .rows = 5, .exactness = Exactness::exact, .bytes = 8192});
  figures.tables.push_back({.name = "cache", .rows = 0, .exactness = Exactness::unknown, .bytes = {}});
  return figures;
}

HealthReport some_health() {
  HealthReport report;
  report.state = HealthState::degraded;
  report.checks.push_back(
      {.name = "backup", .state = CheckState::warning, .message = "never", .remedy = {}, .duration_us = 1'250});
  return report;
}

TEST(Metrics, AreTextThatAStrictReaderUnderstands) {
  const auto figures = some_statistics();
  const auto health = some_health();
  QueryWatch watch;
  watch.statement_ended({.name = "queue.claim", .duration = std::chrono::microseconds(1'500)});
  watch.statement_ended({.name = "queue.claim", .duration = std::chrono::microseconds(500), .failed = true});
  watch.transaction_ended({.is_write = true, .duration = std::chrono::milliseconds(2)});
  const auto read = read_exposition(metrics_text({.health = &health,
                                                  .statistics = &figures,
                                                  .queries = &watch,
                                                  .counts = {{"quarry_worker_pages_total", 17}},
                                                  .version = "1.2.3"}));
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.value("quarry_build_info", {{"version", "1.2.3"}}), "1");
  EXPECT_EQ(read.value("quarry_health_ready"), "1");
  EXPECT_EQ(read.value("quarry_health_check_state", {{"check", "backup"}}), "2");
  EXPECT_EQ(read.value("quarry_health_check_duration_seconds", {{"check", "backup"}}), "0.00125");
  EXPECT_EQ(read.value("quarry_backup_last_verified_timestamp_seconds"), "1772366400.5");
  EXPECT_EQ(read.value("quarry_queue_tasks", {{"queue", "crawl"}, {"state", "pending"}}), "12345678901");
  EXPECT_EQ(read.value("quarry_queue_oldest_pending_seconds", {{"queue", "crawl"}}), "1.5");
  EXPECT_EQ(read.value("quarry_tasks_success_ratio"), "0.75");
  EXPECT_EQ(read.value("quarry_table_rows", {{"table", "users"}}), "5");
  EXPECT_EQ(read.value("quarry_table_rows", {{"table", "cache"}}), "none") << "what nobody knows is not 0";
  EXPECT_EQ(read.value("quarry_query_duration_seconds_sum", {{"query", "queue.claim"}}), "0.002");
  EXPECT_EQ(read.value("quarry_query_duration_seconds_count", {{"query", "queue.claim"}}), "2");
  EXPECT_EQ(read.value("quarry_query_failures_total", {{"query", "queue.claim"}}), "1");
  EXPECT_EQ(read.value("quarry_worker_pages_total"), "17");
  EXPECT_NE(read.value("process_cpu_seconds_total"), "none");
  EXPECT_GT(std::stod(read.value("process_resident_memory_bytes")), 1e6);
  EXPECT_GT(std::stod(read.value("process_start_time_seconds")), 1.6e9);
}

TEST(Metrics, AHistogramsBucketsAddUp) {
  QueryWatch watch;
  for (const auto us : {50, 100, 101, 400, 40'000'000}) watch.transaction_ended({.duration = std::chrono::microseconds(us)});
  const auto read = read_exposition(metrics_text({.queries = &watch, .process = false}));
  EXPECT_THAT(read.findings, IsEmpty());
  const auto bucket = [&](const char* end) {
    return read.value("quarry_transaction_duration_seconds_bucket", {{"kind", "read"}, {"le", end}});
  };
  EXPECT_EQ(bucket("0.0001"), "2");
  EXPECT_EQ(bucket("0.0003"), "3");
  EXPECT_EQ(bucket("0.001"), "4");
  EXPECT_EQ(bucket("30"), "4");
  EXPECT_EQ(bucket("+Inf"), "5");
  EXPECT_EQ(read.value("quarry_transaction_duration_seconds_count", {{"kind", "read"}}), "5");
  EXPECT_EQ(read.value("quarry_transaction_duration_seconds_count", {{"kind", "write"}}), "0");
}

TEST(Metrics, LabelsHoldAnything) {
  auto figures = some_statistics();
  const std::string name = "a\\b\"c\nd,e=\"f\"}";
  figures.queues.front().name = name;
  const auto read = read_exposition(metrics_text({.statistics = &figures}));
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.value("quarry_queue_paused", {{"queue", name}}), "0");
}

TEST(Metrics, TheNumberOfSeriesIsBounded) {
  auto figures = some_statistics();
  figures.queues.clear();
  for (int i = 0; i < 1'000; ++i)
    figures.queues.push_back({.name = fmt::format("q{:04}", i), .pending = i, .completed = 1, .oldest_pending_us = {}});
  QueryWatch watch;
  for (int i = 0; i < 1'000; ++i)
    watch.statement_ended({.name = fmt::format("s{}", i), .duration = std::chrono::microseconds(i)});
  const auto read = read_exposition(metrics_text({.statistics = &figures, .queries = &watch}));
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_LT(read.samples.size(), 1'500U);
  EXPECT_EQ(read.value("quarry_queue_tasks", {{"queue", "q0999"}, {"state", "pending"}}), "999") << "the longest are named";
  EXPECT_EQ(read.value("quarry_queue_tasks", {{"queue", "q0000"}, {"state", "pending"}}), "none");
  EXPECT_EQ(read.value("quarry_queue_tasks", {{"queue", "(other)"}, {"state", "completed"}}), "950");
  std::int64_t runs = 0;
  for (const auto& sample : read.samples)
    if (sample.name == "quarry_query_duration_seconds_count") runs += std::stoll(sample.value);
  EXPECT_EQ(runs, 1'000) << "none is lost";
}

TEST(Metrics, NamesFollowTheRules) {
  const std::regex form("(quarry|process)_[a-z0-9_]+");
  std::set<std::string_view> names;
  for (const auto& family : metric_families()) {
    const std::string name(family.name);
    EXPECT_TRUE(std::regex_match(name, form)) << name;
    EXPECT_TRUE(names.insert(family.name).second) << name;
    EXPECT_EQ(name.ends_with("_total"), family.type == MetricType::counter) << name;
    EXPECT_FALSE(family.help.empty()) << name;
    for (const auto* unit : {"_ms", "_us", "_milliseconds", "_mb", "_kb"}) EXPECT_FALSE(name.ends_with(unit)) << name;
  }
}

TEST(Metrics, WhatIsNotListedIsNotPrinted) { EXPECT_THROW(metrics_text({.counts = {{"quarry_unknown_total", 1}}}), Error); }

}  // namespace
}  // namespace quarry::test
