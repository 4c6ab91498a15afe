#include "cli/commands/crawl_submit.hpp"

#include "quarry/crawl/config_upgrade.hpp"
#include "quarry/jobs/find.hpp"

namespace quarry::cli {

SubmittedCrawl submit_crawl(Write& tx, jobs::NewJob job, const crawl::JobConfig& config) {
  job.config = Json{crawl::to_json(config)};
  job.schema_version = crawl::config_version;
  const auto id = jobs::submit(tx, job).id;
  const crawl::PageTask first{config.target_url.value(), 0};
  const auto tasks = crawl::add_pages(tx, id, config, std::span(&first, 1), {});
  return {jobs::get(tx, id), tasks};
}

}  // namespace quarry::cli
