/// A whole crawl, fetch to commit, of a folder of HTML that a server of its own process hands out on loopback:
///
///     quarry-bench-crawl --engine sqlite --folder /usr/share/doc/postgresql-doc-15/html
///
/// Prints pages a second from the start of the job to the commit that ended it, and the crawler's peak memory.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>

#include "bench/support/program.hpp"
#include "bench/support/scratch.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/crawl/worker.hpp"
#include "quarry/jobs/find.hpp"
#include "support/process.hpp"

namespace quarry::bench {
namespace {

struct Settings {
  std::string engine = "sqlite";
  std::string folder = "/usr/share/doc/postgresql-doc-15/html";
  std::string server = "quarry-serve-files";
  int claim = 128;
  int commit = 64;
};

crawl::JobConfig manual_config(const std::string& url) {
  auto config = crawl::parse_job_config(R"({"fields": {"title": {"type": "text", "selector": "title"},
      "headings": {"type": "text", "selector": "h1, h2, h3", "multiple": true}}, "follow": {"scope": "host"}, "request": {"delayMs": 0}})");
  config.target_url = crawl::Url::parse(url);
  return config;
}

void run(const Settings& settings) {
  auto server = test::Process::start({.program = settings.server, .args = {settings.folder}});
  server.wait_for_output("http://");
  auto url = server.out().substr(server.out().find("http://"));
  url = url.substr(0, url.find_first_of(" \n\t"));

  Scratch scratch(parse_engine(settings.engine));
  auto& db = scratch.db();
  artifacts::FileBlobStore blobs(scratch.path("blobs"));
  const auto job = db.write([&](Write& tx) {
    return crawl::start_crawl(
               tx, {.user_id = accounts::ensure_local_user(tx), .config = manual_config(url), .politeness = {.delay_ms = 0}})
        .job.id;
  });
  crawl::WorkerOptions options;
  options.fetcher.allow_private = true;
  options.politeness.delay_ms = 0;
  options.claim_max = settings.claim;
  options.commit_max = settings.commit;
  options.finished = [&] { return !jobs::is_open(db.read([&](Read& tx) { return jobs::get(tx, job).status; })); };
  crawl::Worker worker(db, blobs, options);
  worker.run({});

  const auto done = db.read([&](Read& tx) { return jobs::get(tx, job); });
  const auto seconds = static_cast<double>((*done.completed_at - *done.started_at).count()) / 1e6;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{} pages ({} failed), {:.1f} MB, {} results in {:.2f} s: {:.0f} pages/s; {} commits; peak memory {:.0f} MB; cpu "
      "{:.2f} s\n",
      done.processed_items, done.failed_items, static_cast<double>(done.bytes_fetched) / 1e6, done.results_count, seconds,
      static_cast<double>(done.processed_items) / seconds, worker.stats().commits.load(),
      static_cast<double>(usage.ru_maxrss) / 1024,
      static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  quarry::bench::Settings settings;
  CLI::App app{"Throughput of a crawl, from fetch to commit"};
  app.add_option("--engine", settings.engine, "sqlite or postgres");
  app.add_option("--folder", settings.folder, "what is crawled");
  app.add_option("--server", settings.server, "the program that serves it");
  app.add_option("--claim", settings.claim, "tasks under lease at once");
  app.add_option("--commit", settings.commit, "pages in one transaction at most");
  return quarry::bench::run_program(app, argc, argv, [&] { quarry::bench::run(settings); });
}
