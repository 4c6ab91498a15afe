#include "quarry/crawl/crawl_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "quarry/core/error.hpp"
#include "quarry/crawl/config_upgrade.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/queue/move_to_host.hpp"

namespace quarry::crawl {
namespace {

constexpr sql::Query<JobId(UserId, Json)> find_open_job{
    "crawl.find_open_job",
    sql::sqlite("select id from scraping_jobs where user_id = $1 and job_type = 'crawl' and status in ('pending', 'running')"
                " and deleted_at is null and config = $2 order by created_at desc limit 1"),
    sql::postgres(
        "select id from scraping_jobs where user_id = $1 and job_type = 'crawl' and status in ('pending', 'running')"
        " and deleted_at is null and config = $2 order by created_at desc limit 1")};

constexpr sql::Query<std::int64_t(JobId)> total_items{"crawl.total_items",
                                                      "select total_items from scraping_jobs where id = $1"};

[[noreturn]] void bad_payload() {
  throw Error(ErrorCode::corrupt, "a fetch task's payload is not {\"url\": ..., \"depth\": ...}");
}

queue::NewTask make_task(JobId job, const PageTask& page) {
  queue::NewTask task;
  task.task_type = fetch_task;
  task.payload = to_payload(page);
  task.host_key = host_key(page.url);
  task.unique_key = fmt::format("{}:{}", to_string(job), page.url.text());
  return task;
}

/// New hosts get the delay of the job that met them first; known ones keep theirs, because others depend on it.
void introduce_hosts(Write& tx, const JobConfig& config, std::span<const PageTask> pages, const Politeness& politeness) {
  const auto delay_ms = static_cast<int>(config.request.delay_ms.value_or(politeness.delay_ms));
  std::map<std::string, int> keys;
  for (const auto& page : pages) keys.emplace(host_key(page.url), 0);
  for (const auto& [key, unused] : keys) {
    if (queue::find_host(tx, key)) continue;
    queue::configure_host(tx, key, {.delay_ms = delay_ms, .max_in_flight = politeness.in_flight_max});
  }
}

}  // namespace

Json to_payload(const PageTask& page) {
  boost::json::object payload{{"url", page.url.text()}, {"depth", page.depth}};
  if (page.hosts_before > 0) payload["hostsBefore"] = page.hosts_before;
  return {boost::json::serialize(payload)};
}

PageTask from_payload(const Json& payload) {
  boost::system::error_code failed;
  const auto value = boost::json::parse(payload.text, failed);
  const auto* object = failed ? nullptr : value.if_object();
  const auto* url = object ? object->if_contains("url") : nullptr;
  const auto* depth = object ? object->if_contains("depth") : nullptr;
  if (!url || !url->is_string() || !depth || !depth->is_int64()) bad_payload();
  const auto& text = url->get_string();
  auto parsed = Url::try_parse({text.data(), text.size()});
  if (!parsed) bad_payload();
  const auto* hosts_before = object->if_contains("hostsBefore");
  if (hosts_before && (!hosts_before->is_int64() || hosts_before->get_int64() < 0 || hosts_before->get_int64() > 1000))
    bad_payload();
  return {*std::move(parsed), depth->get_int64(), hosts_before ? static_cast<int>(hosts_before->get_int64()) : 0};
}

StartedCrawl start_crawl(Write& tx, const CrawlRequest& request) {
  if (!request.config.target_url)
    throw_invalid("the crawl has no target: give a URL, or \"targetUrl\" in the configuration");
  const Json config{to_json(request.config)};
  if (const auto open = tx.one(find_open_job, request.user_id, config)) return {jobs::get(tx, *open), true};

  const auto& target = *request.config.target_url;
  jobs::NewJob job;
  job.user_id = request.user_id;
  job.title = request.title.empty() ? target.text().substr(0, 255) : request.title;
  job.config = config;
  job.schema_version = config_version;
  job.open_jobs_max = request.open_jobs_max;
  const auto made = jobs::submit(tx, job);
  const PageTask first{target, 0};
  add_pages(tx, made.id, request.config, std::span(&first, 1), request.politeness);
  if (request.config.request.delay_ms)
    queue::configure_host(tx, host_key(target), {.delay_ms = static_cast<int>(*request.config.request.delay_ms)});
  return {jobs::get(tx, made.id), false};
}

void move_page(Write& tx, const queue::LeaseRef& task, const JobConfig& config, const PageTask& page,
               const Politeness& politeness) {
  introduce_hosts(tx, config, std::span(&page, 1), politeness);
  const queue::HostMove move{task.id, task.lease_token, queue::find_host(tx, host_key(page.url)).value().id,
                             to_payload(page)};
  queue::move_to_host(tx, std::span(&move, 1));
}

std::int64_t add_pages(Write& tx, JobId job, const JobConfig& config, std::span<const PageTask> pages,
                       const Politeness& politeness) {
  const auto limit = config.follow ? config.follow->max_pages : 1;
  const auto room = limit - tx.one(total_items, job).value_or(limit);
  if (pages.empty() || room <= 0) return 0;
  introduce_hosts(tx, config, pages, politeness);
  const auto queue = queue::open_queue(tx, crawl_queue);
  std::int64_t added = 0;
  // Page by page of the list, because what is a duplicate takes no room.
  for (std::size_t at = 0; at < pages.size() && added < room;) {
    const auto count = std::min(pages.size() - at, static_cast<std::size_t>(room - added));
    std::vector<queue::NewTask> tasks;
    for (const auto& page : pages.subspan(at, count)) tasks.push_back(make_task(job, page));
    added += static_cast<std::int64_t>(jobs::add_tasks(tx, job, queue, tasks).ids.size());
    at += count;
  }
  // The row is ours now: what others added since we looked shows.
  if (tx.one(total_items, job).value_or(0) > limit)
    throw Error(ErrorCode::conflict, "another worker found pages at the same moment and the job has reached its limit")
        .set_retryable(true);
  return added;
}

}  // namespace quarry::crawl
