#include "crawl/worker/job_context.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"

namespace quarry::crawl {

/// Jobs at work at the same time are few; each context is a few kilobytes.
constexpr std::size_t contexts_max = 64;

void JobContexts::limit_pages(std::optional<std::int64_t> pages_max) {
  if (pages_max == pages_max_) return;
  pages_max_ = pages_max;
  recent_.clear();
}

std::shared_ptr<const JobContext> JobContexts::get(JobId job, std::string& why_not) {
  const auto known = std::ranges::find(recent_, job, [](const auto& context) { return context->id; });
  if (known != recent_.end()) {
    recent_.splice(recent_.begin(), recent_, known);
    return recent_.front();
  }
  const auto row = db_.read([&](Read& tx) { return jobs::find(tx, job); });
  if (!row) {
    why_not = "its job is gone";
    return nullptr;
  }
  try {
    auto config = parse_job_config(row->config.text, row->schema_version);
    if (config.follow && pages_max_) config.follow->max_pages = std::min(config.follow->max_pages, *pages_max_);
    Extractor extractor(config);
    recent_.push_front(std::make_shared<const JobContext>(
        JobContext{job, row->search_id, row->scraper_name.value_or(""), std::move(config), std::move(extractor)}));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid) throw;
    why_not = "its job's configuration cannot be used: " + error.client_message();
    return nullptr;
  }
  if (recent_.size() > contexts_max) recent_.pop_back();
  return recent_.front();
}

}  // namespace quarry::crawl
