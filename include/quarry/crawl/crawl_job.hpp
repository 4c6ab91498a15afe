#pragma once
/// A crawl as a job: its config is the job's config, each page it asks for is a task, and links that it finds become tasks.
///
/// Tasks are in the queue `crawl`, of type `fetch`; the payload is `{"url": ..., "depth": ...}` (and `hostsBefore` after
/// redirects from host to host), the host key that of the URL, and the unique key names job and URL, so that a page is asked
/// for once in a job however often it is linked.
///
/// Errors: `invalid` (a config without a target, a title out of bounds), `conflict`, `corrupt` (a payload that is none),
/// and those of `jobs::submit` and `queue::enqueue`. Thread safety: that of the transaction.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/crawl/job_config.hpp"
#include "quarry/crawl/url.hpp"
#include "quarry/jobs/job.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::crawl {

inline constexpr std::string_view crawl_queue = "crawl";
inline constexpr std::string_view fetch_task = "fetch";

/// One page to fetch.
struct PageTask {
  Url url;
  std::int64_t depth = 0;
  int hosts_before = 0;  ///< redirects to other hosts that led here
};

/// Redirects from host to host that are followed for one page.
inline constexpr int hosts_before_max = 5;

/// The payload of the task that fetches `page`. Never fails.
Json to_payload(const PageTask& page);
/// Throws `corrupt` when it is none.
PageTask from_payload(const Json& payload);

/// How politely hosts are treated when a job does not say.
struct Politeness {
  std::int64_t delay_ms = 500;  ///< between requests to one host
  int in_flight_max = 256;      ///< tasks of one host under lease; connections are limited by the fetcher
};

struct CrawlRequest {
  UserId user_id{};
  JobConfig config{};   ///< with a target
  std::string title{};  ///< empty: the target
  Politeness politeness{};
  std::optional<int> open_jobs_max{};  ///< as of `jobs::NewJob`
};

struct StartedCrawl {
  jobs::Job job;
  bool resumed = false;  ///< an open job of the same user with the same config went on instead
};

/// Makes the job and its first task, or finds the one that was left open. Throws `invalid` for a config without a target.
StartedCrawl start_crawl(Write& tx, const CrawlRequest& request);

/// A redirect leads the page of this task, whose lease ends, to another host: the task waits for that host's turn, and
/// `page` is what is fetched then. Nothing happens when the lease is lost.
void move_page(Write& tx, const queue::LeaseRef& task, const JobConfig& config, const PageTask& page,
               const Politeness& politeness);

/// Puts in tasks for pages that a job should fetch, at most up to its `maxPages`, and makes new hosts known with their
/// politeness. Returns how many were new. Throws `conflict` (retryable) when others went over the limit at the same moment.
std::int64_t add_pages(Write& tx, JobId job, const JobConfig& config, std::span<const PageTask> pages,
                       const Politeness& politeness);

}  // namespace quarry::crawl
