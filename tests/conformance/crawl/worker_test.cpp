/// The worker and its leases, its queue, and a database that is away.

#include <atomic>

#include "conformance/crawl/crawl_test.hpp"
#include "crawl/worker/process_page.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/maintain.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

constexpr sql::Command<void(Instant)> end_leases{"test.end_leases",
                                                 "update task_queue set lease_until = $1 where lease_until is not null"};
constexpr sql::Query<std::int64_t()> newest_token{"test.newest_token", "select max(lease_token) from task_queue"};

template <class F>
bool comes_true(F&& condition) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

class CrawlWorkers : public CrawlTest {
 protected:
  /// A site of ten pages; `at_first` happens while the first page is asked for for the first time.
  LoopbackServer::Handler site_that(std::function<void()> at_first) {
    return small_site(10, [this, at_first](const HttpRequest& request) -> std::optional<HttpReply> {
      if (request.target == "/page/0" && first_requests_++ == 0) at_first();
      return std::nullopt;
    });
  }
  void expect_ten_pages(JobId job) {
    EXPECT_EQ(get(job).status, jobs::JobStatus::completed);
    EXPECT_EQ(get(job).processed_items, 10);
    EXPECT_EQ(artifact_count(job), 10);
    EXPECT_EQ(task_counts().of(queue::TaskStatus::completed), 10);
  }
  std::atomic<int> first_requests_ = 0;
};
QUARRY_BOTH_ENGINES(CrawlWorkers);

TEST(CrawlHosts, OnlyOneThatIsSilentOrRefusesIsLeftAlone) {
  const auto is_left_alone = [](crawl::FetchError error, int status) {
    const auto url = crawl::Url::parse("http://slow.example/");
    crawl::Outcome outcome;
    crawl::fail_page({.id = 1, .requested = url, .url = url, .status = status, .error = error}, outcome);
    return outcome.host_in_trouble;
  };
  EXPECT_TRUE(is_left_alone(crawl::FetchError::connect, 0));
  EXPECT_TRUE(is_left_alone(crawl::FetchError::timeout, 0));
  EXPECT_FALSE(is_left_alone(crawl::FetchError::timeout, 200)) << "it has begun to answer";
  EXPECT_FALSE(is_left_alone(crawl::FetchError::interrupted, 200));
  EXPECT_TRUE(is_left_alone(crawl::FetchError::none, 503));
  EXPECT_FALSE(is_left_alone(crawl::FetchError::none, 500));
}

// SX-10: a log that stays empty.
TEST_P(CrawlWorkers, ACrawlThatGoesWellLeavesItsBeginAndItsEndInTheLog) {
  LoopbackServer server(small_site(10));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  expect_ten_pages(job);
  const auto lines = db().read([&](Read& tx) { return jobs::list_log(tx, job, {.at_least = jobs::LogLevel::info}); });
  ASSERT_EQ(lines.size(), 2U) << "however many pages there were";
  EXPECT_EQ(lines[0].message, "attempt 1 begins");
  const auto ended = get(job);
  EXPECT_GT(ended.bytes_fetched, 0);
  EXPECT_THAT(lines[1].message, testing::HasSubstr("ended completed: 10 of 10 items done, 0 failed"));
  EXPECT_THAT(lines[1].message, testing::HasSubstr(std::to_string(ended.bytes_fetched) + " bytes"));
  EXPECT_EQ(lines[1].created_at, ended.completed_at) << "the transaction that ended it";
}

TEST_P(CrawlWorkers, ATaskThatIsClaimedAgainWhileItsPageIsFetched) {
  LoopbackServer server(site_that([this] {
    db().write([](Write& tx) { tx.run(end_leases, tx.now() - 1s); });
    EXPECT_TRUE(comes_true([&] { return db().read([](Read& tx) { return tx.value(newest_token); }) > 1; }));
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  crawl::Worker worker(db(), *blobs_, options_until_end_of(job));
  worker.run({});
  expect_ten_pages(job);
  EXPECT_EQ(first_requests_, 2);
  EXPECT_EQ(worker.stats().pages, 10);
  EXPECT_EQ(worker.stats().lost, 1);
}

TEST_P(CrawlWorkers, AHeartbeatTellsWhatWasLost) {
  crawl::Worker* working = nullptr;
  LoopbackServer server(site_that([&] {
    const auto taken = db().write([](Write& tx) {
      tx.run(end_leases, tx.now() - 1s);
      return queue::claim(tx, queue::open_queue(tx, crawl::crawl_queue), {.worker = "another", .limit = 1, .lease = 60s});
    });
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_TRUE(comes_true([&] { return working->stats().lost == 1; }));
    const queue::LeaseRef lease{taken[0].id, taken[0].lease_token};
    db().write([&](Write& tx) { queue::release(tx, std::span(&lease, 1)); });
    EXPECT_TRUE(comes_true([&] { return db().read([](Read& tx) { return tx.value(newest_token); }) > 2; }));
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  auto options = options_until_end_of(job);
  options.lease = 600ms;
  crawl::Worker worker(db(), *blobs_, options);
  working = &worker;
  worker.run({});
  expect_ten_pages(job);
}

TEST_P(CrawlWorkers, LeasesAreKeptWhileTheFetchingThreadIsBusy) {
  std::atomic<bool> is_asked = false, may_answer = false;
  LoopbackServer server(site_that([&] {
    is_asked = true;
    EXPECT_TRUE(comes_true([&] { return may_answer.load(); }));
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  auto options = options_until_end_of(job);
  options.lease = 1500ms;
  std::int64_t taken_back = -1;
  options.finished = [&, ask = options.finished] {
    if (is_asked && taken_back < 0) {
      std::this_thread::sleep_for(options.lease * 2);
      taken_back = db().write([](Write& tx) { return queue::reap_expired(tx); });
      may_answer = true;
    }
    return ask();
  };
  crawl::Worker worker(db(), *blobs_, options);
  worker.run({});
  expect_ten_pages(job);
  EXPECT_EQ(taken_back, 0);
  EXPECT_EQ(worker.stats().lost, 0);
}

TEST_P(CrawlWorkers, APausedQueueIsAskedEverMoreSeldom) {
  LoopbackServer server(small_site(10));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  db().write([](Write& tx) { queue::set_paused(tx, queue::open_queue(tx, crawl::crawl_queue), true); });
  auto options = options_until_end_of(job);
  const auto until = std::chrono::steady_clock::now() + 1500ms;
  options.finished = [&] { return std::chrono::steady_clock::now() > until; };
  crawl::Worker worker(db(), *blobs_, options);
  worker.run({});
  EXPECT_GT(worker.stats().claims, 1);
  EXPECT_LT(worker.stats().claims, 30);
  db().write([](Write& tx) { queue::set_paused(tx, queue::open_queue(tx, crawl::crawl_queue), false); });
  work_until_end_of(job);
  expect_ten_pages(job);
}

TEST_P(CrawlWorkers, TheQuestionWhetherTheWorkIsDoneWaitsForADatabaseThatIsAway) {
  LoopbackServer server(small_site(10));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  auto options = options_until_end_of(job);
  int asked = 0;
  options.finished = [&, ask = options.finished] {
    if (++asked < 4) throw Error(ErrorCode::unavailable, "the server is being restarted");
    return ask();
  };
  crawl::Worker(db(), *blobs_, options).run({});
  expect_ten_pages(job);
}

TEST_P(CrawlWorkers, WhoIsAskedToStopDoesNotWaitForADatabaseThatIsAway) {
  std::stop_source stop;
  crawl::WorkerOptions options;
  options.give_up_after = 10min;
  options.finished = [&]() -> bool {
    stop.request_stop();
    throw Error(ErrorCode::unavailable, "the server is away");
  };
  EXPECT_THROW(crawl::Worker(db(), *blobs_, options).run(stop.get_token()), Error);
}

}  // namespace
}  // namespace quarry::test
