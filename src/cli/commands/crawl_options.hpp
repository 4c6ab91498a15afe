#pragma once
/// What `crawl`, `work` and `job submit` have in common: a job's config from a file and from options, and the worker's
/// settings.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "quarry/crawl/job_config.hpp"
#include "quarry/crawl/worker.hpp"

namespace quarry::cli {

/// What to crawl. Options win over the file.
struct TargetCli {
  std::string url;
  std::string config_file;
  std::optional<std::int64_t> max_pages;
  std::optional<std::int64_t> depth;
  std::optional<std::int64_t> delay_ms;
  std::optional<std::string> user_agent;
  bool no_robots = false;
};
void add_target_options(CLI::App& command, TargetCli& cli);

/// Without a file, links within the target's host are followed. Throws `invalid` for what `parse_job_config` refuses,
/// `not_found` for a file that is not there.
crawl::JobConfig job_config_of(const TargetCli& cli);

/// How to crawl.
struct WorkerCli {
  bool allow_private = false;
  std::int64_t concurrency = 32;
  std::string user_agent;  ///< for jobs that name none
};
void add_worker_options(CLI::App& command, WorkerCli& cli);
crawl::WorkerOptions worker_options_of(const WorkerCli& cli);

}  // namespace quarry::cli
