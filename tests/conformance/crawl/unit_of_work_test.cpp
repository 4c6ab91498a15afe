/// The transaction that finishes requests: once, whole, and only for who holds the lease.

#include "crawl/worker/unit_of_work.hpp"

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::test {
namespace {

class UnitOfWork : public CrawlTest {
 protected:
  /// The first page of a crawl, claimed and fetched.
  crawl::Outcome fetched_page(JobId job, const crawl::JobConfig& config) {
    auto tasks = db().write([](Write& tx) {
      return queue::claim(tx, queue::open_queue(tx, crawl::crawl_queue), {.worker = "test", .limit = 1});
    });
    EXPECT_EQ(tasks.size(), 1U);
    crawl::Outcome outcome;
    outcome.task = tasks.at(0);
    outcome.started_at = db().now();
    outcome.job =
        std::make_shared<const crawl::JobContext>(crawl::JobContext{job, {}, {}, config, crawl::Extractor(config)});
    crawl::PageContent content{.url = *config.target_url,
                               .status = 200,
                               .mime_type = "text/html",
                               .body = "<p>Hello",
                               .title = "Hello",
                               .description = {},
                               .text = "Hello",
                               .extraction = {.json = R"([{"a": 1}])", .items = 1},
                               .links = {}};
    content.links.push_back({crawl::Url::parse("http://site.example/next"), 1});
    outcome.content = std::move(content);
    return outcome;
  }
  crawl::Committed commit(const crawl::Outcome& outcome) {
    const auto blob = blobs_->put(std::as_bytes(std::span(outcome.content->body)));
    return db().write(
        [&](Write& tx) { return crawl::commit_outcomes(tx, std::span(&outcome, 1), std::span(&blob, 1), {}); });
  }
};
QUARRY_BOTH_ENGINES(UnitOfWork);

TEST_P(UnitOfWork, CommittedTwiceIsCommittedOnce) {
  const auto config = config_for("http://site.example/");
  const auto job = start(config).job.id;
  const auto outcome = fetched_page(job, config);
  EXPECT_EQ(commit(outcome).pages, 1);
  // What a worker does when it could not learn whether the first commit had landed.
  const auto again = commit(outcome);
  EXPECT_EQ(again.pages, 0);
  EXPECT_EQ(again.lost, 1);
  const auto after = get(job);
  EXPECT_EQ(after.processed_items, 1);
  EXPECT_EQ(after.total_items, 2);
  EXPECT_EQ(after.results_count, 1);
  EXPECT_EQ(artifact_count(job), 1);
}

TEST_P(UnitOfWork, WhoLostTheLeaseCommitsNothing) {
  const auto config = config_for("http://site.example/");
  const auto job = start(config).job.id;
  const auto outcome = fetched_page(job, config);
  const auto lease = outcome.lease();
  db().write([&](Write& tx) { queue::release(tx, std::span(&lease, 1)); });
  EXPECT_EQ(commit(outcome).lost, 1);
  const auto after = get(job);
  EXPECT_EQ(after.processed_items, 0);
  EXPECT_EQ(after.total_items, 1);
  EXPECT_EQ(after.bytes_fetched, 0);
  EXPECT_EQ(artifact_count(job), 0);
}

TEST_P(UnitOfWork, AThrowAtTheEndLeavesNothing) {
  const auto config = config_for("http://site.example/");
  const auto job = start(config).job.id;
  const auto outcome = fetched_page(job, config);
  const auto blob = blobs_->put(std::as_bytes(std::span(outcome.content->body)));
  EXPECT_THROW(db().write([&](Write& tx) {
    crawl::commit_outcomes(tx, std::span(&outcome, 1), std::span(&blob, 1), {});
    throw std::runtime_error("the machine is on fire");
  }),
               std::runtime_error);
  EXPECT_EQ(artifact_count(job), 0);
  EXPECT_EQ(get(job).total_items, 1);
  EXPECT_EQ(commit(outcome).pages, 1);
}

}  // namespace
}  // namespace quarry::test
