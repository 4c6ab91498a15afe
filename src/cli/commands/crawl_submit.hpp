#pragma once
/// A crawl as a job with its first page, for whoever works on the queue.

#include "quarry/crawl/crawl_job.hpp"
#include "quarry/jobs/submit.hpp"

namespace quarry::cli {

struct SubmittedCrawl {
  jobs::Job job;
  std::int64_t tasks = 0;
};

/// `config` has a target. Throws like `jobs::submit`.
SubmittedCrawl submit_crawl(Write& tx, jobs::NewJob job, const crawl::JobConfig& config);

}  // namespace quarry::cli
