#pragma once
/// What came of one page, on its way from the fetching thread to the committing one.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crawl/worker/job_context.hpp"
#include "quarry/crawl/crawl_job.hpp"
#include "quarry/crawl/extract.hpp"
#include "quarry/queue/claim.hpp"

namespace quarry::crawl {

/// A page that was fetched: what its artifact is made of.
struct PageContent {
  Url url;  ///< where it was, redirects followed
  int status = 0;
  std::string mime_type;
  std::string body;
  std::string title;
  std::string description;
  std::string text;
  Extraction extraction;
  std::vector<PageTask> links;
};

struct Outcome {
  std::uint64_t number = 0;  ///< the worker's own for this claim: a task that is claimed again gets another
  queue::ClaimedTask task;
  bool metered = false;  ///< it was claimed under its user's plan
  std::string address;   ///< what was asked for, for people
  Instant started_at;
  std::shared_ptr<const JobContext> job;  ///< null when the job cannot be worked on
  std::optional<PageContent> content;     ///< a success
  std::optional<PageTask> elsewhere;      ///< or a redirect to another host, whose turn the task has to wait for
  std::string error;                      ///< or why not
  bool worth_a_retry = false;
  bool was_cancelled = false;    ///< somebody wants it no more: it ends, and nobody is to blame
  bool host_in_trouble = false;  ///< it refused, or could not be reached: leave it alone for a while
  std::optional<std::chrono::milliseconds> retry_after;

  queue::LeaseRef lease() const { return {task.id, task.lease_token}; }
};

}  // namespace quarry::crawl
