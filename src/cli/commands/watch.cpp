/// `quarry health`, `quarry stats`, `quarry metrics`: the database, looked at from outside.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/ops/metrics.hpp"

namespace quarry::cli {
namespace {

struct HealthCli {
  bool live = false;
  bool ready = false;
  std::vector<std::string> checks;
  std::int64_t timeout_ms = 0;
  std::int64_t stuck_minutes = 5;
};

ops::HealthOptions health_options_of(const Context& context, const HealthCli& cli) {
  ops::HealthOptions options{.blobs = context.settings().blobs,
                             .timeout = std::chrono::milliseconds(cli.timeout_ms),
                             .only = cli.checks,
                             .stuck_after = std::chrono::minutes(cli.stuck_minutes)};
  if (cli.live) options.only = {"database"};
  return options;
}

/// Nothing is thrown but for what the command line says wrong: a database that cannot be reached is a finding.
ops::HealthReport look(const Context& context, const ops::HealthOptions& options) {
  const auto timeout = options.timeout.count() > 0 ? options.timeout : ops::health_checks().front().timeout;
  std::optional<Database> db;
  try {
    db = context.open_any_version(false, {.read_only = true, .acquire_timeout = timeout});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid) throw;
    return ops::unreachable(to_string(sql::engine_of(context.settings().db)), SystemClock().now(), error);
  }
  return ops::check_health(*db, options);
}

ExitCode exit_code_of_health(const ops::HealthReport& report, const HealthCli& cli) {
  if (cli.live) return report.live ? ExitCode::ok : ExitCode::not_ready;
  if (!report.ready) return ExitCode::not_ready;
  return cli.ready || report.state == ops::HealthState::ready ? ExitCode::ok : ExitCode::degraded;
}

ExitCode show_health(Context& context, const HealthCli& cli) {
  const auto report = look(context, health_options_of(context, cli));
  auto& console = context.console();
  console.result(report, [&] {
    Table table({{"CHECK"}, {"STATE"}, {"TIME", Align::right}, {"FOUND", Align::left, Room::wrapped}});
    for (const auto& check : report.checks)
      table.row({check.name, boost::describe::enum_to_string(check.state, ""),
                 fmt::format("{:.1f} ms", static_cast<double>(check.duration_us) / 1e3),
                 check.remedy ? fmt::format("{} -> {}", check.message, *check.remedy) : check.message});
    console.print(table);
    console.line(fmt::format("{}, {}", report.live ? "live" : "not live",
                             report.state == ops::HealthState::not_ready ? "not ready"
                             : report.state == ops::HealthState::ready   ? "ready"
                                                                         : "ready, degraded"));
  });
  return exit_code_of_health(report, cli);
}

struct StatsCli {
  bool exact = false;
  int hosts = 10;
};

std::string in_exactness(std::int64_t rows, ops::Exactness exactness) {
  switch (exactness) {
    case ops::Exactness::exact:
      return fmt::format("{}", rows);
    case ops::Exactness::estimate:
      return fmt::format("~ {}", rows);
    case ops::Exactness::at_least:
      return fmt::format("> {}", rows);
    case ops::Exactness::unknown:
      break;
  }
  return "?";
}

void show_queues(Console& console, const ops::Statistics& figures) {
  Table queues({{"QUEUE"},
                {"PENDING", Align::right},
                {"WAITED", Align::right},
                {"PROCESSING", Align::right},
                {"SCHEDULED", Align::right},
                {"BLOCKED", Align::right},
                {"PAUSED", Align::right},
                {"COMPLETED", Align::right},
                {"FAILED", Align::right},
                {"CANCELLED", Align::right},
                {"DEAD", Align::right}});
  for (const auto& queue : figures.queues) {
    const auto number = [](std::int64_t n) { return fmt::format("{}", n); };
    queues.row({queue.is_paused ? queue.name + " (paused)" : queue.name, number(queue.pending),
                queue.oldest_pending_us ? human_duration(std::chrono::microseconds(*queue.oldest_pending_us)) : "-",
                number(queue.processing), number(queue.scheduled), number(queue.blocked), number(queue.paused),
                number(queue.completed), number(queue.failed), number(queue.cancelled), number(queue.dead)});
  }
  if (!queues.empty()) {
    console.line("");
    console.print(queues);
  }
  Table hosts({{"HOST"}, {"PENDING", Align::right}, {"IN FLIGHT", Align::right}, {"BLOCKED UNTIL"}});
  for (const auto& host : figures.hosts)
    hosts.row({host.host, fmt::format("{}", host.pending), fmt::format("{}", host.in_flight),
               host.blocked_until ? human_time(*host.blocked_until) : "-"});
  if (hosts.empty()) return;
  console.line("");
  console.print(hosts);
}

void show_summary(Console& console, const ops::Statistics& figures) {
  Fields fields;
  fields.add("database", fmt::format("{}, {}", figures.engine, human_bytes(figures.database_bytes)));
  if (figures.free_bytes) fields.add("free in it", human_bytes(*figures.free_bytes));
  if (figures.log_bytes) fields.add("write-ahead log", human_bytes(*figures.log_bytes));
  fields.add("last verified backup", figures.last_verified_backup ? human_time(*figures.last_verified_backup) : "never");
  fields.add("open jobs", in_exactness(figures.open_jobs, figures.open_jobs_exactness));
  fields.add("tasks ended", fmt::format("{:.1f} a second ({} of {} succeeded, in {})", figures.rates.ended_per_second,
                                        figures.rates.succeeded, figures.rates.ended,
                                        human_duration(std::chrono::microseconds(figures.rates.window_us))));
  fields.add("cache", fmt::format("{} hits, {} misses ({:.1f} %)", figures.cache.hits, figures.cache.misses,
                                  100 * figures.cache.hit_rate));
  fields.add("audit entries", fmt::format("{}", figures.audit_entries));
  fields.add("connections", fmt::format("{} of {} open, {} idle, {} callers wait", figures.pool.connections,
                                        figures.pool.connections_max, figures.pool.connections_idle, figures.pool.waiters));
  console.print(fields);
}

ExitCode show_stats(Context& context, const StatsCli& cli) {
  const auto db = context.open(Access::read);
  const auto figures = ops::statistics(db, {.hosts_max = cli.hosts, .exact = cli.exact});
  auto& console = context.console();
  console.result(figures, [&] {
    show_summary(console, figures);
    show_queues(console, figures);
    console.line("");
    Table tables({{"TABLE"}, {"ROWS", Align::right}, {"SIZE", Align::right}});
    for (const auto& table : figures.tables)
      tables.row({table.name, in_exactness(table.rows, table.exactness), table.bytes ? human_bytes(*table.bytes) : "-"});
    console.print(tables);
    if (!cli.exact) console.note("~ is an estimate, and so are SQLite's sizes; --exact counts, which reads everything");
  });
  return ExitCode::ok;
}

struct MetricsCli {
  bool list = false;
};

struct MetricsFamiliesResult {
  struct Family {
    std::string name;
    ops::MetricType type;
    ops::MetricScope scope;
    std::string help;
  };
  std::vector<Family> families;
};
BOOST_DESCRIBE_STRUCT(MetricsFamiliesResult::Family, (), (name, type, scope, help))
BOOST_DESCRIBE_STRUCT(MetricsFamiliesResult, (), (families))

struct MetricsResult {
  std::string format;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(MetricsResult, (), (format, text))

ExitCode list_metrics(Console& console) {
  MetricsFamiliesResult result;
  for (const auto& family : ops::metric_families())
    result.families.push_back({std::string(family.name), family.type, family.scope, std::string(family.help)});
  console.result(result, [&] {
    Table table({{"METRIC"}, {"TYPE"}, {"OF"}, {"WHAT", Align::left, Room::wrapped}});
    for (const auto& family : result.families)
      table.row({family.name, boost::describe::enum_to_string(family.type, ""),
                 boost::describe::enum_to_string(family.scope, ""), family.help});
    console.print(table);
  });
  return ExitCode::ok;
}

ExitCode print_metrics(Context& context, const MetricsCli& cli) {
  auto& console = context.console();
  if (cli.list) return list_metrics(console);
  const ops::HealthOptions options{.blobs = context.settings().blobs};
  const auto health = look(context, options);
  ops::MetricSources sources{.health = &health, .version = QUARRY_VERSION};
  std::optional<Database> db;
  std::optional<ops::Statistics> figures;
  std::shared_ptr<ops::QueryWatch> watch;
  if (health.ready) {
    db = context.open(Access::read);
    watch = context.watch_queries(*db);
    figures = ops::statistics(*db);
    sources.statistics = &*figures;
    sources.queries = watch.get();
  }
  const MetricsResult result{"prometheus-text-0.0.4", valid_utf8(ops::metrics_text(sources))};
  console.result(result, [&] { console.raw(result.text); });
  return health.ready ? ExitCode::ok : ExitCode::not_ready;
}

}  // namespace

void add_watch_commands(CLI::App& app, Commands& commands) {
  {
    auto cli = std::make_shared<HealthCli>();
    auto* command =
        commands.add(app, "health", "Can work be done, and will that last? Exits with 8 when degraded, 9 when not ready",
                     cli, show_health);
    auto* live = command->add_flag("--live", cli->live, "Only whether the database answers");
    command->add_flag("--ready", cli->ready, "Exit with 0 when work can be done, warnings or not")->excludes(live);
    command->add_option("--check", cli->checks, "Only this check; several are possible")->type_name("NAME")->excludes(live);
    command->add_option("--timeout-ms", cli->timeout_ms, "Of each check; each has its own by default")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{600'000}));
    command->add_option("--stuck-minutes", cli->stuck_minutes, "How long work may be overdue; 5 by default")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
  }
  {
    auto cli = std::make_shared<StatsCli>();
    auto* command = commands.add(app, "stats", "The database in figures: queues, hosts, rates, tables; cheap at any size",
                                 cli, show_stats);
    command->add_flag("--exact", cli->exact, "Count every row and page, which may take minutes");
    command->add_option("--hosts", cli->hosts, "Hosts to name; 10 by default")->check(CLI::Range(0, 1'000));
  }
  {
    auto cli = std::make_shared<MetricsCli>();
    auto* command = commands.add(app, "metrics", "Health and figures in Prometheus's text format", cli, print_metrics);
    command->add_flag("--list", cli->list, "Name the metrics there are, those of `quarry work --metrics-port` too");
  }
}

}  // namespace quarry::cli
