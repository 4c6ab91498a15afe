#include "cli/commands/crawl_options.hpp"

#include <fmt/format.h>

#include "cli/read_file.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

using namespace crawl::limits;

}  // namespace

void add_target_options(CLI::App& command, TargetCli& cli) {
  command.add_option("url", cli.url, "Where to begin; the config's targetUrl by default");
  command.add_option("--config", cli.config_file, "The job's config: fields to extract, links to follow")->type_name("FILE");
  command.add_option("--max-pages", cli.max_pages, "Fetch at most so many pages; 10000 by default")
      ->check(CLI::Range(std::int64_t{1}, pages_max));
  command.add_option("--depth", cli.depth, "Follow links at most so far from the first page; 10 by default")
      ->check(CLI::Range(std::int64_t{0}, depth_max));
  command.add_option("--delay-ms", cli.delay_ms, "Between two requests to one host; 500 by default")
      ->check(CLI::Range(std::int64_t{0}, delay_ms_max));
  command.add_option("--user-agent", cli.user_agent, "What hosts are told")->type_name("TEXT");
  command.add_flag("--no-robots", cli.no_robots, "Do not ask for robots.txt: for hosts of your own");
}

namespace {

/// As `parse_job_config`, and its errors say which file is meant.
crawl::JobConfig read_job_config(const std::string& file) {
  const auto text = read_file(file, "the job's config", config_bytes_max);
  try {
    return crawl::parse_job_config(text);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", file, error.client_message()));
  }
}

}  // namespace

crawl::JobConfig job_config_of(const TargetCli& cli) {
  crawl::JobConfig config;
  if (cli.config_file.empty())
    config.follow.emplace();
  else
    config = read_job_config(cli.config_file);
  if (!cli.url.empty()) config.target_url = crawl::Url::parse(cli.url);
  if (!config.target_url) throw_invalid("the crawl has no target: give a URL, or \"targetUrl\" in the config");
  if (!config.follow && (cli.max_pages || cli.depth)) config.follow.emplace();
  if (cli.max_pages) config.follow->max_pages = *cli.max_pages;
  if (cli.depth) config.follow->max_depth = *cli.depth;
  if (cli.delay_ms) config.request.delay_ms = *cli.delay_ms;
  if (cli.user_agent) config.request.user_agent = *cli.user_agent;
  if (cli.no_robots) config.request.obey_robots = false;
  // Once more through the reader, which knows every bound.
  return crawl::parse_job_config(crawl::to_json(config));
}

void add_worker_options(CLI::App& command, WorkerCli& cli) {
  command.add_flag("--allow-private", cli.allow_private, "Fetch from private and loopback addresses too");
  command.add_option("--concurrency", cli.concurrency, "Requests at once; 32 by default")->check(CLI::Range(1, 1000));
}

crawl::WorkerOptions worker_options_of(const WorkerCli& cli) {
  crawl::WorkerOptions options;
  options.fetcher.allow_private = cli.allow_private;
  options.fetcher.in_flight_max = static_cast<std::size_t>(cli.concurrency);
  // More under lease than in flight, so that the fetcher never waits for a claim.
  options.claim_max = std::max(options.claim_max, static_cast<int>(cli.concurrency) * 4);
  if (!cli.user_agent.empty()) options.fetcher.user_agent = cli.user_agent;
  return options;
}

}  // namespace quarry::cli
