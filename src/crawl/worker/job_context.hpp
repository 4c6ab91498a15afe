#pragma once
/// What the worker knows of a job: its config, read once, and the extractor compiled from it.

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "quarry/crawl/extract.hpp"
#include "quarry/crawl/job_config.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::crawl {

struct JobContext {
  JobId id;
  std::optional<SearchId> search_id;  ///< whose results its items are
  std::string source;
  JobConfig config;
  Extractor extractor;
};

/// The contexts of the jobs at work, the most recently used ones. A job's config does not change, so nothing here grows
/// stale. Not thread-safe.
class JobContexts {
 public:
  explicit JobContexts(Database db) : db_(std::move(db)) {}

  /// Jobs ask for at most so many pages, whatever their config says. For contexts that are handed out from now on.
  void limit_pages(std::optional<std::int64_t> pages_max);

  /// Null, with the reason in `why_not`, when the job is gone or its config cannot be used. Throws what the database throws.
  std::shared_ptr<const JobContext> get(JobId job, std::string& why_not);

 private:
  Database db_;
  std::optional<std::int64_t> pages_max_;
  std::list<std::shared_ptr<const JobContext>> recent_;  ///< the last used first
};

}  // namespace quarry::crawl
