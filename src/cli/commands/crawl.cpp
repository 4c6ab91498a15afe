/// `quarry crawl`: one job from its first page to its last. `quarry work`: every crawl job there is.

#include <fmt/format.h>

#include <atomic>

#include "cli/commands.hpp"
#include "cli/commands/crawl_options.hpp"
#include "cli/interrupt.hpp"
#include "cli/key_ring_option.hpp"
#include "cli/maintain_runner.hpp"
#include "cli/monitor.hpp"
#include "cli/number_range.hpp"
#include "cli/progress.hpp"
#include "cli/schedule_runner.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/crawl/crawl_job.hpp"
#include "quarry/jobs/explain.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/ops/policy.hpp"
#include "quarry/queue/control.hpp"

namespace quarry::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct CrawlCli : TargetCli, WorkerCli {
  std::string title;
};

/// The job's figures as the worker's thread last read them, for the thread that shows them.
struct Watched {
  std::atomic<std::int64_t> done{0}, known{0}, bytes{0};

  void read(const jobs::Job& job) {
    done = job.processed_items + job.failed_items;
    known = job.total_items;
    bytes = job.bytes_fetched;
  }
};

/// Why a crawl stands still: asked when no page has been done for a while, and then as seldom again.
class Standstill {
 public:
  Standstill(Database db, JobId job) : db_(std::move(db)), job_(job) {}

  /// Empty while pages get done, and while one is under way.
  const std::string& look(std::int64_t done) {
    const auto now = SteadyClock::now();
    if (done != done_) {
      done_ = done;
      next_look_ = now + patience;
      why_.clear();
    } else if (now >= next_look_) {
      next_look_ = now + patience;
      why_ = ask();
    }
    return why_;
  }

 private:
  static constexpr std::chrono::seconds patience{10};

  std::string ask() const {
    try {
      const auto explain = [&](Read& tx) { return jobs::explain(tx, job_); };
      const auto found = db_.read({.deadline = std::chrono::seconds(2)}, explain).findings.front();
      return found.reason == jobs::Reason::working ? std::string() : found.message;
    } catch (const Error&) {
      return {};  // of a database that is away the worker tells
    }
  }

  Database db_;
  JobId job_;
  std::int64_t done_ = -1;
  SteadyClock::time_point next_look_{};
  std::string why_;
};

struct CrawlResult {
  jobs::Job job;
  bool resumed = false;
  bool interrupted = false;
  std::optional<std::string> last_failure;  ///< which page, and why
  std::int64_t pages = 0;                   ///< by this run
  std::int64_t errors = 0;
  std::int64_t links = 0;
  std::int64_t results = 0;
  std::int64_t bytes = 0;
  std::int64_t duration_us = 0;
};
BOOST_DESCRIBE_STRUCT(CrawlResult, (),
                      (job, resumed, interrupted, last_failure, pages, errors, links, results, bytes, duration_us))

/// The job as it is now, and the last that its log has of a failure.
CrawlResult read_result(Read& tx, JobId job) {
  CrawlResult result{.job = jobs::get(tx, job), .last_failure = {}};
  if (result.job.failed_items == 0) return result;
  const auto log = jobs::list_log(tx, job, {.at_least = jobs::LogLevel::warning, .limit = 1, .newest = true});
  if (!log.empty()) result.last_failure = log.front().message;
  return result;
}

void add_figures(CrawlResult& result, const crawl::WorkerStats& stats, SteadyClock::time_point begin) {
  result.pages = stats.pages;
  result.errors = stats.failed;
  result.links = stats.links;
  result.results = stats.results;
  result.bytes = stats.bytes;
  result.duration_us = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin).count();
}

std::string speed_of(const CrawlResult& result) {
  const double seconds = static_cast<double>(result.duration_us) / 1e6;
  return fmt::format("{:.1f} pages/s", seconds > 0 ? static_cast<double>(result.pages) / seconds : 0.0);
}

void show(Console& console, const CrawlResult& result) {
  Fields fields;
  fields.add("job", to_string(result.job.id));
  fields.add("title", result.job.title);
  fields.add("status", std::string(to_string(result.job.status)) + (result.resumed ? " (an earlier crawl went on)" : ""));
  fields.add("pages", fmt::format("{} of {}", result.job.processed_items, result.job.total_items));
  fields.add("failed", result.job.failed_items == 0
                           ? "0"
                           : fmt::format("{} (why: quarry job logs {})", result.job.failed_items, to_string(result.job.id)));
  fields.add_if("the last", result.last_failure);
  fields.add("items", fmt::format("{}", result.job.results_count));
  fields.add("bytes", human_bytes(result.job.bytes_fetched));
  fields.add("this run", fmt::format("{} in {}, {}", counted(result.pages, "page"),
                                     human_duration(std::chrono::microseconds(result.duration_us)), speed_of(result)));
  console.print(fields);
}

ExitCode crawl_url(Context& context, const CrawlCli& cli) {
  const auto config = job_config_of(cli);
  const auto db = context.open(Access::write);
  artifacts::FileBlobStore blobs(context.settings().blobs);
  auto options = worker_options_of(cli);
  const Interrupt interrupt;
  const auto started = db.write([&](Write& tx) {
    return crawl::start_crawl(tx, {.user_id = accounts::ensure_local_user(tx),
                                   .config = config,
                                   .title = cli.title,
                                   .politeness = options.politeness,
                                   .open_jobs_max = ops::read_policy(tx).open_jobs_max});
  });

  auto& console = context.console();
  if (!console.json() && started.resumed)
    console.note(fmt::format("job {} goes on: {} of {} pages are done", to_string(started.job.id),
                             started.job.processed_items, started.job.total_items));
  if (started.job.is_paused)
    console.note(
        fmt::format("it is paused, so this waits: `quarry job resume {}` lets it go on", to_string(started.job.id)));
  Watched watched;
  watched.read(started.job);
  options.finished = [&] {
    const auto job = db.read([&](Read& tx) { return jobs::get(tx, started.job.id); });
    watched.read(job);
    return !jobs::is_open(job.status);
  };

  const auto begin = SteadyClock::now();
  crawl::Worker worker(db, blobs, std::move(options));
  {
    Standstill standstill(db, started.job.id);
    const Progress progress(console, [&] {
      return ProgressFigures{watched.done, watched.known, watched.bytes, worker.stats().failed,
                             standstill.look(watched.done)};
    });
    worker.run(interrupt.token());
  }

  auto result = db.read([&](Read& tx) { return read_result(tx, started.job.id); });
  result.resumed = started.resumed;
  add_figures(result, worker.stats(), begin);
  result.interrupted = interrupt.signal() != 0 && jobs::is_open(result.job.status);
  console.result(result, [&] { show(console, result); });
  const bool refused = result.last_failure && result.last_failure->find(": refused_address: ") != std::string::npos;
  if (refused && !cli.allow_private) console.note("private and loopback addresses are fetched with --allow-private only");
  if (result.interrupted) {
    console.note("interrupted; the same command goes on where this one stopped");
    return ended_by(interrupt.signal());
  }
  return result.job.status == jobs::JobStatus::completed ? ExitCode::ok : ExitCode::failed;
}

struct WorkCli : WorkerCli {
  bool until_idle = false;
  double maintain_after_s = 300;
  std::string metrics_port;
};

struct WorkResult {
  std::int64_t pages = 0;
  std::int64_t errors = 0;
  std::int64_t links = 0;
  std::int64_t results = 0;
  std::int64_t bytes = 0;
  std::int64_t duration_us = 0;
};
BOOST_DESCRIBE_STRUCT(WorkResult, (), (pages, errors, links, results, bytes, duration_us))

/// Where a monitor may ask, when the command line says so. `worker` outlives it.
std::unique_ptr<Monitor> monitor_of(Context& context, const WorkCli& cli, const Database& db,
                                    std::shared_ptr<const ops::QueryWatch> queries, const crawl::Worker& worker) {
  if (cli.metrics_port.empty()) return nullptr;
  const auto counts = [&stats = worker.stats()] {
    const auto count = [](const auto& figure) { return static_cast<double>(figure.load()); };
    return std::vector<ops::MetricCount>{
        {"quarry_worker_pages_total", count(stats.pages)},      {"quarry_worker_failures_total", count(stats.failed)},
        {"quarry_worker_leases_lost_total", count(stats.lost)}, {"quarry_worker_fetched_bytes_total", count(stats.bytes)},
        {"quarry_worker_links_total", count(stats.links)},      {"quarry_worker_items_total", count(stats.results)},
        {"quarry_worker_commits_total", count(stats.commits)},  {"quarry_worker_claims_total", count(stats.claims)}};
  };
  auto monitor = std::make_unique<Monitor>(
      http::parse_loopback(cli.metrics_port),
      MonitorSources{.db = db, .blobs = context.settings().blobs, .queries = std::move(queries), .counts = counts});
  context.console().note(fmt::format("metrics at {}/metrics", monitor->url()));
  return monitor;
}

/// What maintenance opens encrypted messages with. Keys that cannot be read stop no crawl.
std::optional<system::KeyRing> keys_if_any(const Context& context) {
  try {
    return find_keys(context.settings(), "");
  } catch (const Error& error) {
    log::warn("maintenance goes on without keys: {}", error.client_message());
    return std::nullopt;
  }
}

ExitCode work(Context& context, const WorkCli& cli) {
  if (!cli.metrics_port.empty()) http::parse_loopback(cli.metrics_port);  // wrong input is told before anything begins
  const auto db = context.open(Access::write);
  const auto queries = cli.metrics_port.empty() ? nullptr : context.watch_queries(db);
  artifacts::FileBlobStore blobs(context.settings().blobs);
  auto options = worker_options_of(cli);
  if (cli.until_idle)
    options.finished = [&] {
      return db.read([&](Read& tx) {
        const auto queue = queue::find_queue(tx, crawl::crawl_queue);
        return !queue || queue::counts(tx, *queue).open() == 0;
      });
    };

  const auto begin = SteadyClock::now();
  const Interrupt interrupt;
  crawl::Worker worker(db, blobs, std::move(options));
  auto& console = context.console();
  {
    const auto monitor = monitor_of(context, cli, db, queries, worker);
    const ScheduleRunner schedules(db);
    const MaintainRunner upkeep(db, blobs, std::chrono::milliseconds(static_cast<std::int64_t>(cli.maintain_after_s * 1e3)),
                                keys_if_any(context));
    const Progress progress(console, [&] {
      const auto& stats = worker.stats();
      return ProgressFigures{stats.pages, 0, stats.bytes, stats.failed, {}};
    });
    worker.run(interrupt.token());
  }
  CrawlResult figures;
  add_figures(figures, worker.stats(), begin);
  const WorkResult result{figures.pages, figures.errors, figures.links, figures.results, figures.bytes, figures.duration_us};
  console.result(result, [&] {
    Fields fields;
    fields.add("pages", fmt::format("{}", result.pages));
    fields.add("errors", fmt::format("{}", result.errors));
    fields.add("items", fmt::format("{}", result.results));
    fields.add("bytes", human_bytes(result.bytes));
    fields.add("time",
               fmt::format("{}, {}", human_duration(std::chrono::microseconds(result.duration_us)), speed_of(figures)));
    console.print(fields);
  });
  // To be stopped is how a worker ends.
  return ExitCode::ok;
}

}  // namespace

void add_crawl_commands(CLI::App& app, Commands& commands) {
  {
    auto cli = std::make_shared<CrawlCli>();
    auto* command = commands.add(
        app, "crawl", "Fetch a site's pages as one job; Ctrl-C leaves a job that the same command resumes", cli, crawl_url);
    add_target_options(*command, *cli);
    add_worker_options(*command, *cli);
    command->add_option("--title", cli->title, "The job's title; the URL by default")->type_name("TEXT");
  }
  {
    auto cli = std::make_shared<WorkCli>();
    auto* command = commands.add(
        app, "work", "Work on every crawl job, fire schedules and maintain the database, until it is stopped", cli, work);
    add_worker_options(*command, *cli);
    command->add_option("--user-agent", cli->WorkerCli::user_agent, "What hosts are told, for jobs that say nothing else")
        ->type_name("TEXT");
    command->add_flag("--until-idle", cli->until_idle, "End when there is nothing left to do");
    command
        ->add_option("--maintain-after-s", cli->maintain_after_s,
                     "Seconds until the database is maintained for the first time; 300 by default")
        ->check(number_range(0.0, 1e6));
    command
        ->add_option("--metrics-port", cli->metrics_port,
                     "Serve /metrics, /health/live and /health/ready there, on the loopback interface only")
        ->type_name("PORT");
  }
}

}  // namespace quarry::cli
