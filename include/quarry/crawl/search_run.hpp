#pragma once
/// Searches that the crawl worker does. A source is a crawl config whose target holds `{query}`:
///
///     {
///       "papers": {
///         "targetUrl": "https://papers.example.org/search?q={query}",
///         "containerSelector": "li.hit",
///         "fields": {
///           "url":     {"type": "link", "selector": "a", "required": true},
///           "title":   {"type": "text", "selector": "a"},
///           "snippet": {"type": "text", "selector": "p"}
///         }
///       }
///     }
///
/// The fields `url`, `title` and `snippet` of each item make a result; further fields stay with the page's artifact, as
/// everything that was extracted does. Without `url` there is no result. Positions count the items of a job, page by page.
///
///     const auto started = db.write([&](Write& tx) {
///       return crawl::start_search(tx, {.user_id = user, .query = "lithium", .sources = sources, .max_age = 24h});
///     });                                                           // one job per source; `quarry work` does them
///
/// Errors: `invalid`, naming the source.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/crawl/crawl_job.hpp"
#include "quarry/searches/results.hpp"

namespace quarry::crawl {

/// Where a search asks.
struct SearchSource {
  std::string name;         ///< 1 to 50 characters
  std::string config_json;  ///< with `{query}` in its target
};

/// An object of sources by name, as above. Throws `invalid` for what is none, and names what is wrong with which source.
std::vector<SearchSource> parse_sources(std::string_view json);

/// The source's config for this question: `{query}` is replaced by it, percent-encoded as a part of a query is.
JobConfig config_for(const SearchSource& source, std::string_view query);

struct SearchRequest {
  UserId user_id{};
  std::string query{};
  std::vector<SearchSource> sources{};
  /// A search of the user for the same of the same sources that was completed this recently is the answer. Zero: ask anew.
  std::chrono::microseconds max_age{0};
  Politeness politeness{};
  std::optional<int> open_jobs_max{};  ///< as of `jobs::NewJob`: each source is a job
};

struct StartedSearch {
  searches::Search search;
  std::vector<JobId> jobs;   ///< one per source; none when an earlier search answers
  bool from_before = false;  ///< an earlier search answers
};

/// Makes the search with its jobs, or finds the fresh answer. Throws as the page says.
StartedSearch start_search(Write& tx, const SearchRequest& request);

/// The results in a page's items (`Extraction::json`), in their order.
std::vector<searches::NewResult> results_in(std::string_view items_json, std::string_view source, int first_position);

}  // namespace quarry::crawl
