/// kill -9 in a crawl at random moments, again and again, each time resumed: at the end every page is there exactly once,
/// the counters equal the rows, and no task is stuck; what the jobs add up to is right after every kill. 24 kills on each
/// engine, 200 with QUARRY_TEST_LONG=1. The moments follow from the seed.

#include <cstdlib>
#include <random>

#include "conformance/crawl/crawl_test.hpp"
#include "conformance/queue/counters.hpp"
#include "fault/seed.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

constexpr int site_pages = 150;

int wanted_kills() { return std::getenv("QUARRY_TEST_LONG") ? 200 : 24; }

constexpr sql::Query<std::int64_t()> count_pages_twice{
    "test.twice",
    "select count(*) from (select source_url from artifacts group by job_id, source_url having count(*) > 1) t"};
constexpr sql::Query<std::int64_t()> count_not_completed{"test.stuck",
                                                         "select count(*) from task_queue where status <> 'completed'"};
constexpr sql::Query<std::int64_t()> count_completed{"test.completed",
                                                     "select count(*) from task_queue where status = 'completed'"};
constexpr sql::Query<std::int64_t()> sum_references{"test.references",
                                                    sql::sqlite("select coalesce(sum(ref_count), 0) from blobs"),
                                                    sql::postgres("select coalesce(sum(ref_count), 0)::bigint from blobs")};
constexpr sql::Query<std::int64_t()> count_extractions{"test.extractions", "select count(*) from content_extractions"};
constexpr sql::Query<std::int64_t()> busy_hosts{"test.hosts",
                                                "select count(*) from hosts where in_flight <> 0 or pending <> 0"};

class KilledCrawls : public CrawlTest {
 protected:
  /// Crawls the site to its end, killing the crawler up to `kills` times on the way. Returns the kills that hit. A crawler
  /// that is killed again and again before it has done anything lives longer the next time, however slow the machine is: the
  /// tenth such death would be held against its tasks (`max_stalls`).
  int crawl_under_fire(const LoopbackServer& server, int kills, std::mt19937& random) {
    const Command command{.program = CRAWL_CHILD,
                          .args = {database().url(), (database().folder() / "blobs").string(), server.url("/page/0")}};
    int longest_ms = 250;
    std::int64_t completed = 0;
    for (int killed = 0;;) {
      auto child = Process::start(command);
      if (killed < kills) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(5, longest_ms)(random)));
        if (!child.wait_for(std::chrono::milliseconds(0))) {
          child.kill();
          ++killed;
          db().read([](Read& tx) { expect_totals_equal_jobs(tx); });
          // Killed on its way out, when the crawl was done: another child would begin a new one.
          if (is_done()) return killed;
          const auto now_completed = db().read([](Read& tx) { return tx.value(count_completed); });
          if (now_completed == completed) longest_ms = std::min(longest_ms * 3 / 2, 20'000);
          completed = now_completed;
          continue;
        }
      }
      const auto exit = child.wait(std::chrono::seconds(120));
      EXPECT_EQ(exit.code, 0) << child.err();
      return killed;
    }
  }
  bool is_done() {
    const auto jobs = db().read([](Read& tx) { return jobs::list(tx).rows; });
    return jobs.size() == 1 && !jobs::is_open(jobs[0].status);
  }
  void fresh_database() {
    renew_database();
    SetUp();
  }
  void expect_all_once() {
    expect_counters_equal_rows(db());
    db().read([&](Read& tx) {
      EXPECT_EQ(tx.value(count_completed), site_pages);
      EXPECT_EQ(tx.value(count_not_completed), 0);
      EXPECT_EQ(artifacts::count(tx, {}), site_pages);
      EXPECT_EQ(tx.value(count_pages_twice), 0);
      EXPECT_EQ(tx.value(sum_references), site_pages);
      EXPECT_EQ(tx.value(count_extractions), site_pages);
      EXPECT_EQ(tx.value(busy_hosts), 0);
      const auto jobs = jobs::list(tx).rows;
      ASSERT_EQ(jobs.size(), 1U);
      EXPECT_EQ(jobs[0].status, jobs::JobStatus::completed);
      EXPECT_EQ(jobs[0].total_items, site_pages);
      EXPECT_EQ(jobs[0].processed_items, site_pages);
      EXPECT_EQ(jobs[0].results_count, site_pages);
      EXPECT_EQ(jobs[0].open_tasks, 0);
    });
    EXPECT_EQ(task_counts().of(queue::TaskStatus::completed), site_pages);
    EXPECT_EQ(task_counts().open(), 0);
    for (const auto& artifact : db().read([](Read& tx) { return artifacts::list(tx, {}, {.limit = 1000}).rows; }))
      EXPECT_EQ(blobs_->verify(*artifact.blob_hash).state, artifacts::BlobState::whole);
  }
};
QUARRY_BOTH_ENGINES(KilledCrawls);

TEST_P(KilledCrawls, LeaveEveryPageExactlyOnce) {
  LoopbackServer server(small_site(site_pages));
  std::mt19937 random(static_cast<std::uint32_t>(test_seed()));
  for (int left = wanted_kills(); left > 0;) {
    left -= crawl_under_fire(server, left, random);
    expect_all_once();
    if (HasFailure() || left <= 0) break;
    // The crawl ended before enough kills had hit: another round, on an empty database.
    fresh_database();
  }
}

}  // namespace
}  // namespace quarry::test
