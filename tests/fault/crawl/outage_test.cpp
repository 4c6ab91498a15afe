/// The PostgreSQL server is killed in the middle of a crawl and comes back: the worker waits, and every page is there once.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/crawl/worker.hpp"
#include "quarry/jobs/find.hpp"
#include "support/http/small_site.hpp"
#include "support/migrated_database.hpp"
#include "support/private_cluster.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

TEST(CrawlOutage, TheWorkerGoesOnWhenTheServerIsBack) {
  PrivateCluster cluster;
  const TempDir folder("outage");
  auto db = Database::open(cluster.url(), {.acquire_timeout = 5s});
  head().fill(db);
  artifacts::FileBlobStore blobs(folder.path() / "blobs", artifacts::FileBlobStoreOptions{.durable = false});

  std::atomic<int> answered = 0;
  LoopbackServer server(small_site(120, [&](const HttpRequest&) -> std::optional<HttpReply> {
    ++answered;
    std::this_thread::sleep_for(20ms);  // so that the server can be killed in between
    return std::nullopt;
  }));
  auto config = crawl::parse_job_config(R"({"follow": {"scope": "host", "maxDepth": 1000}, "request": {"delayMs": 0}})");
  config.target_url = crawl::Url::parse(server.url("/page/0"));
  const auto job =
      db.write([&](Write& tx) {
          return crawl::start_crawl(
              tx, {.user_id = accounts::ensure_local_user(tx), .config = config, .politeness = {.delay_ms = 0}});
        }).job.id;

  crawl::WorkerOptions options;
  options.fetcher.allow_private = true;
  options.fetcher.in_flight_max = 4;
  options.politeness.delay_ms = 0;
  options.finished = [&] { return !jobs::is_open(db.read([&](Read& tx) { return jobs::get(tx, job).status; })); };
  {
    const std::jthread killer([&] {
      for (const int pages : {10, 50}) {
        while (answered < pages) std::this_thread::sleep_for(1ms);
        cluster.kill_immediate();
        std::this_thread::sleep_for(300ms);  // long enough for every question that the worker asks to meet no server
        cluster.start();
      }
    });
    crawl::Worker(db, blobs, options).run({});
  }
  const auto done = db.read([&](Read& tx) { return jobs::get(tx, job); });
  EXPECT_EQ(done.status, jobs::JobStatus::completed);
  EXPECT_EQ(done.processed_items, 120);
  EXPECT_EQ(db.read([&](Read& tx) { return artifacts::count(tx, {.job_id = job}); }), 120);
}

}  // namespace
}  // namespace quarry::test
