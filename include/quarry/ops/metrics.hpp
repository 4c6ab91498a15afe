#pragma once
/// Health, statistics and statement times as Prometheus reads them: the text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
///
///     const auto text = ops::metrics_text({.health = &report, .statistics = &figures, .queries = watch.get()});
///
/// Every family is listed in `metric_families()`, with its help, and what is not there cannot be printed. Base units are
/// seconds and bytes, counters end with `_total`. The number of series is bounded: tables and states are few, of queues
/// fifty are named and the others added up as `(other)`, of hosts those that the statistics hold, of statements the two
/// hundred that a `QueryWatch` tells apart.
///
/// Labels hold names of queues, hosts, tables and statements; nothing else of the database's contents is in the text.
/// Errors: none but memory. Thread safety: pure functions.

#include <boost/describe.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ops/health.hpp"
#include "quarry/ops/query_watch.hpp"
#include "quarry/ops/stats.hpp"

namespace quarry::ops {

enum class MetricType { counter, gauge, histogram, summary };
BOOST_DESCRIBE_ENUM(MetricType, counter, gauge, histogram, summary)

/// Who has a figure to give for it.
enum class MetricScope {
  database,  ///< everybody who asks the database
  process,   ///< every process, about itself
  worker,    ///< `quarry work`
};
BOOST_DESCRIBE_ENUM(MetricScope, database, process, worker)

struct MetricFamily {
  std::string_view name;
  MetricType type = MetricType::gauge;
  MetricScope scope = MetricScope::database;
  std::string_view help;
};
/// All there are, in the order in which they are printed.
std::span<const MetricFamily> metric_families() noexcept;

/// A figure of a family without labels, from whoever counts it: a worker.
struct MetricCount {
  std::string_view family;
  double value = 0;
};

/// What is null or empty is left out.
struct MetricSources {
  const HealthReport* health = nullptr;
  const Statistics* statistics = nullptr;
  const QueryWatch* queries = nullptr;
  bool process = true;                ///< this process: memory, processor time, open files
  std::vector<MetricCount> counts{};  ///< `bug` for a family that is not listed
  std::string_view version{};
};
/// The text, family by family.
std::string metrics_text(const MetricSources& sources);

}  // namespace quarry::ops
