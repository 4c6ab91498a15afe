#pragma once
/// A database, a blob store, and whole crawls of sites on loopback.

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <thread>

#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/crawl/worker.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/queue/control.hpp"
#include "support/http/small_site.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class CrawlTest : public BothEngines {
 protected:
  // Hosts' delays and retries need a clock that goes.
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), head(), DatabaseOptions{.clock = std::make_shared<SystemClock>()});
  }
  void SetUp() override {
    user_ = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
    blobs_ = std::make_unique<artifacts::FileBlobStore>(database().folder() / "blobs",
                                                        artifacts::FileBlobStoreOptions{.durable = false});
  }

  static crawl::JobConfig config_for(const std::string& url, std::int64_t max_pages = 10'000) {
    auto config = crawl::parse_job_config(R"({"fields": {"title": {"type": "text", "selector": "title"},
                                              "headings": {"type": "text", "selector": "h1", "multiple": true}},
                                              "follow": {"scope": "host", "maxDepth": 1000}, "request": {"delayMs": 0}})");
    config.target_url = crawl::Url::parse(url);
    config.follow->max_pages = max_pages;
    return config;
  }
  crawl::StartedCrawl start(const crawl::JobConfig& config) {
    return db().write([&](Write& tx) {
      return crawl::start_crawl(tx, {.user_id = user_, .config = config, .politeness = {.delay_ms = 0}});
    });
  }
  crawl::WorkerOptions options_until_end_of(JobId job) {
    crawl::WorkerOptions options;
    options.fetcher.allow_private = true;
    options.politeness.delay_ms = 0;
    options.finished = [this, job] { return !jobs::is_open(get(job).status); };
    return options;
  }
  void work_until_end_of(JobId job) { crawl::Worker(db(), *blobs_, options_until_end_of(job)).run({}); }
  jobs::Job get(JobId job) {
    return db().read([&](Read& tx) { return jobs::get(tx, job); });
  }
  std::int64_t artifact_count(JobId job) {
    return db().read([&](Read& tx) { return artifacts::count(tx, {.job_id = job}); });
  }
  queue::Counts task_counts() {
    return db().read([](Read& tx) { return queue::counts(tx, *queue::find_queue(tx, crawl::crawl_queue)); });
  }

  UserId user_;
  std::unique_ptr<artifacts::FileBlobStore> blobs_;
};

}  // namespace quarry::test
