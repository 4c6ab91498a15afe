/// Crawls under a plan: pages cost units, failures do not, and what is not covered waits.

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/billing/usage.hpp"

namespace quarry::test {
namespace {

using billing::micro_per_unit;

class MeteredCrawls : public CrawlTest {
 protected:
  void SetUp() override {
    CrawlTest::SetUp();
    db().write([&](Write& tx) {
      billing::set_enforced(tx, true);
      billing::give_plan(tx, {user_, "enterprise"});
    });
  }
  billing::Balance balance() {
    return db().read([&](Read& tx) { return billing::usage(tx, user_, tx.now()).balance; });
  }
  void expect_sums() {
    EXPECT_TRUE(db().read([](Read& tx) { return billing::check_usage(tx); }).is_good());
    EXPECT_EQ(balance().reserved, 0);
  }
};
QUARRY_BOTH_ENGINES(MeteredCrawls);

TEST_P(MeteredCrawls, PagesCostUnitsAndFailuresDoNot) {
  LoopbackServer server(small_site(20, [&](const HttpRequest& request) -> std::optional<HttpReply> {
    if (request.target == "/page/4") return HttpReply{.status = 404};
    return std::nullopt;
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  const auto done = get(job);
  EXPECT_EQ(done.failed_items, 1);
  EXPECT_EQ(balance().used, done.processed_items * micro_per_unit);
  expect_sums();
  static constexpr sql::Query<std::int64_t(JobId)> consumed_by{
      "test.consumed_by", "select compute_units_consumed from scraping_jobs where id = $1"};
  const auto consumed = db().read([&](Read& tx) { return tx.value(consumed_by, job); });
  EXPECT_EQ(consumed, done.processed_items);
}

TEST_P(MeteredCrawls, WhatIsNotCoveredWaits) {
  LoopbackServer server(small_site(20));
  db().write([&](Write& tx) { billing::adjust(tx, {user_, "leaves five", -24'995 * micro_per_unit}); });
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  auto options = options_until_end_of(job);
  options.finished = [&] {
    const auto now = task_counts();
    return now.of(queue::TaskStatus::completed) >= 5 && now.of(queue::TaskStatus::processing) == 0 &&
           now.of(queue::TaskStatus::pending) == 0 && now.of(queue::TaskStatus::scheduled) > 0;
  };
  crawl::Worker(db(), *blobs_, options).run({});
  EXPECT_EQ(task_counts().of(queue::TaskStatus::completed), 5);
  EXPECT_EQ(get(job).status, jobs::JobStatus::running);
  EXPECT_EQ(balance().remaining(), 0);
  expect_sums();
  db().write([&](Write& tx) { billing::grant(tx, {user_, "the rest", 100 * micro_per_unit}); });
  work_until_end_of(job);
  EXPECT_EQ(get(job).processed_items, 20);
  EXPECT_EQ(balance().used, 20 * micro_per_unit);
  expect_sums();
}

}  // namespace
}  // namespace quarry::test
