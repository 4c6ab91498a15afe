/// Cancelling what is being fetched. The servers are silent for good and the next heartbeat is minutes away, so that only
/// who hears of it at once gets through.

#include <atomic>

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

/// A site of ten pages on which one thing, once asked for, is never answered until the end.
class SilentSite {
 public:
  explicit SilentSite(std::string target) : target_(std::move(target)) {}
  ~SilentSite() { is_over_ = true; }

  std::string url(const std::string& path) const { return server_.url(path); }
  bool wait_until_asked() const {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!is_asked_ && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
    return is_asked_;
  }

 private:
  const std::string target_;
  std::atomic<bool> is_asked_ = false, is_over_ = false;
  LoopbackServer server_{small_site(10, [this](const HttpRequest& request) -> std::optional<HttpReply> {
    if (request.target != target_) return std::nullopt;
    is_asked_ = true;
    while (!is_over_) std::this_thread::sleep_for(1ms);
    return std::nullopt;
  })};
};

class CrawlCancel : public CrawlTest {
 protected:
  /// Works until nothing is left, and does `at_silence` once the site has fallen silent.
  void work(const SilentSite& site, crawl::Worker& worker, const std::function<void()>& at_silence) {
    std::jthread other([&] {
      EXPECT_TRUE(site.wait_until_asked());
      at_silence();
    });
    worker.run({});
  }
  crawl::WorkerOptions options() {
    crawl::WorkerOptions options;
    options.fetcher.allow_private = true;
    options.politeness.delay_ms = 0;
    options.lease = 30min;
    options.finished = [this] { return task_counts().open() == 0; };
    return options;
  }
  std::vector<queue::Task> tasks_in(queue::TaskStatus status) {
    return db().read([&](Read& tx) { return queue::list_tasks(tx, *queue::find_queue(tx, crawl::crawl_queue), status); });
  }
};
QUARRY_BOTH_ENGINES(CrawlCancel);

TEST_P(CrawlCancel, ACancelledJobsPageIsBrokenOffAndNobodyIsToBlame) {
  // The last is what maintenance does with a job that takes too long.
  for (const auto& [silent, gives_up] : {std::pair{"/page/0", false}, {"/robots.txt", false}, {"/page/0", true}}) {
    const SilentSite site(silent);
    const auto job = start(config_for(site.url("/page/0"))).job.id;
    crawl::Worker worker(db(), *blobs_, options());
    work(site, worker, [&, gives_up = gives_up] {
      if (gives_up)
        db().write(
            [&](Write& tx) { jobs::change_status(tx, job, jobs::JobStatus::cancelled, "given up: it took too long"); });
      db().write([&](Write& tx) { jobs::cancel(tx, job); });
    });
    EXPECT_EQ(get(job).status, jobs::JobStatus::cancelled) << silent;
    EXPECT_EQ(get(job).failed_items, 0) << silent;
    EXPECT_EQ(worker.stats().cancelled, 1) << silent;
    EXPECT_EQ(worker.stats().failed, 0) << silent;
    const auto task = tasks_in(queue::TaskStatus::cancelled).back();
    EXPECT_EQ(task.job_id, job);
    const auto attempts = db().read([&](Read& tx) { return queue::attempts_of(tx, task.id); });
    ASSERT_EQ(attempts.size(), 1U);
    EXPECT_EQ(attempts[0].outcome, "cancelled");
    const auto host = db().read([&](Read& tx) { return queue::find_host(tx, *task.host_id); }).value();
    EXPECT_EQ(host.backoff_count, 0) << "silence would count against it";
    EXPECT_EQ(host.in_flight, 0);
  }
}

TEST_P(CrawlCancel, TheOtherPagesOfAJobGoOn) {
  const SilentSite site("/page/9");
  const auto job = start(config_for(site.url("/page/0"))).job.id;
  crawl::Worker worker(db(), *blobs_, options());
  work(site, worker, [&] {
    for (const auto& task : tasks_in(queue::TaskStatus::processing))
      if (task.payload.text.find("/page/9\"") != std::string::npos)
        db().write([&](Write& tx) { EXPECT_EQ(queue::cancel_task(tx, task.id), queue::CancelOutcome::requested); });
  });
  EXPECT_EQ(get(job).status, jobs::JobStatus::completed);
  EXPECT_EQ(get(job).processed_items, 9);
  EXPECT_EQ(artifact_count(job), 9);
  EXPECT_EQ(worker.stats().cancelled, 1);
  EXPECT_EQ(worker.stats().failed, 0);
}

}  // namespace
}  // namespace quarry::test
