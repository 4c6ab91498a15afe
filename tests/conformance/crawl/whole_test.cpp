/// Whole crawls: every page once, what goes wrong recorded, limits kept.

#include <atomic>

#include "conformance/crawl/crawl_test.hpp"

namespace quarry::test {
namespace {

class Crawls : public CrawlTest {};
QUARRY_BOTH_ENGINES(Crawls);

TEST_P(Crawls, EveryPageOfASiteOnce) {
  LoopbackServer server(small_site(60));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  const auto done = get(job);
  EXPECT_EQ(done.status, jobs::JobStatus::completed);
  EXPECT_EQ(done.total_items, 60);
  EXPECT_EQ(done.processed_items, 60);
  EXPECT_EQ(done.open_tasks, 0);
  EXPECT_EQ(done.progress, 100);
  EXPECT_EQ(done.results_count, 60);
  EXPECT_GT(done.bytes_fetched, 60 * 100);
  EXPECT_EQ(artifact_count(job), 60);
  EXPECT_EQ(task_counts().of(queue::TaskStatus::completed), 60);
  const auto page = db().read([&](Read& tx) { return artifacts::find_by_url(tx, job, server.url("/page/7")); });
  ASSERT_TRUE(page);
  EXPECT_EQ(page->title, "Page 7");
  const auto body = blobs_->get(*page->blob_hash);
  EXPECT_EQ(std::to_string(body.size()), std::to_string(*page->file_size));
}

TEST_P(Crawls, WhatCannotBeFetchedIsRecordedAndTheRestGoesOn) {
  std::atomic<int> refused = 0;
  LoopbackServer server(small_site(10, [&](const HttpRequest& request) -> std::optional<HttpReply> {
    if (request.target == "/page/0") {
      HttpReply index{.headers = {{"Content-Type", "text/html"}}};
      for (int page = 1; page < 10; ++page) index.body += "<a href='/page/" + std::to_string(page) + "'>a page</a>";
      return index;
    }
    if (request.target == "/robots.txt") return HttpReply{.body = "User-agent: *\nDisallow: /page/3\n"};
    if (request.target == "/page/4") return HttpReply{.status = 404};
    if (request.target == "/page/5") return HttpReply{.status = 301, .headers = {{"Location", "/page/6"}}};
    if (request.target == "/page/8") return HttpReply{.status = 302, .headers = {{"Location", "/page/8"}}};
    if (request.target == "/page/9" && refused++ == 0) return HttpReply{.status = 500};
    return std::nullopt;
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  const auto done = get(job);
  EXPECT_EQ(done.status, jobs::JobStatus::completed);
  EXPECT_EQ(done.total_items, 10);
  EXPECT_EQ(done.failed_items, 3);     // 3 by robots.txt, 4 is not there, 8 goes in a circle
  EXPECT_EQ(done.processed_items, 7);  // 9 at its second try
  EXPECT_EQ(artifact_count(job), 6);   // 5 is the same page as 6
  EXPECT_FALSE(db().read([&](Read& tx) { return artifacts::find_by_url(tx, job, server.url("/page/3")); }));
}

TEST_P(Crawls, AnAnswerMayForbidToFollowItsLinks) {
  LoopbackServer server(small_site(10, [&](const HttpRequest& request) -> std::optional<HttpReply> {
    if (request.target != "/page/0") return std::nullopt;
    return HttpReply{.headers = {{"Content-Type", "text/html"}, {"X-Robots-Tag", "noarchive, nofollow"}},
                     .body = "<a href='/page/1'>a page</a>"};
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(get(job).total_items, 1);
  EXPECT_EQ(artifact_count(job), 1);
}

TEST_P(Crawls, MaxPagesIsExactWithSeveralWorkers) {
  LoopbackServer server(small_site(500));
  const auto job = start(config_for(server.url("/page/0"), 37)).job.id;
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back([&] { work_until_end_of(job); });
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(get(job).total_items, 37);
  EXPECT_EQ(artifact_count(job), 37);
}

TEST_P(Crawls, AStoppedCrawlGoesOnWhereItWas) {
  LoopbackServer server(small_site(80, [](const HttpRequest&) -> std::optional<HttpReply> {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));  // so that it can be stopped in between
    return std::nullopt;
  }));
  const auto config = config_for(server.url("/page/0"));
  const auto job = start(config).job.id;
  {
    std::stop_source stop;
    auto options = options_until_end_of(job);
    options.finished = [&] { return get(job).processed_items >= 10; };
    crawl::Worker(db(), *blobs_, options).run(stop.get_token());
  }
  EXPECT_EQ(task_counts().of(queue::TaskStatus::processing), 0);
  EXPECT_TRUE(jobs::is_open(get(job).status));
  const auto again = start(config);
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.job.id, job);
  work_until_end_of(job);
  EXPECT_EQ(get(job).processed_items, 80);
  EXPECT_EQ(artifact_count(job), 80);
  EXPECT_FALSE(start(config).resumed);
}

TEST_P(Crawls, PrivateAddressesAreRefusedUnlessAllowed) {
  LoopbackServer server(small_site(3));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  auto options = options_until_end_of(job);
  options.fetcher.allow_private = false;
  crawl::Worker(db(), *blobs_, options).run({});
  EXPECT_EQ(get(job).status, jobs::JobStatus::failed);
  EXPECT_EQ(server.requests(), 0);
}

}  // namespace
}  // namespace quarry::test
