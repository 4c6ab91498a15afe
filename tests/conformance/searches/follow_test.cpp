/// A search follows its jobs, whoever moves them, in the transaction that does.

#include <thread>

#include "conformance/searches/searches_fixture.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;
using searches::SearchStatus;

class SearchesFollow : public SearchesTest {
 protected:
  /// With one task that fails for good when it fails once.
  JobId working_job_of(SearchId search, const std::string& source) {
    const auto job = job_of(search, source);
    db().write([&](Write& tx) {
      const std::vector<queue::NewTask> tasks{{.max_retries = 0}};
      jobs::add_tasks(tx, job, queue::open_queue(tx, "crawl"), tasks);
    });
    return job;
  }
  queue::ClaimedTask claim() {
    auto tasks =
        db().write([](Write& tx) { return queue::claim(tx, queue::open_queue(tx, "crawl"), {.worker = "w", .limit = 1}); });
    EXPECT_EQ(tasks.size(), 1U);
    return std::move(tasks.at(0));
  }
  void fail(const queue::ClaimedTask& task) {
    const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "no answer", .permanent = true};
    db().write([&](Write& tx) { queue::fail(tx, std::span(&failure, 1)); });
  }
  void finish(const queue::ClaimedTask& task) {
    const queue::Finish done{.id = task.id, .lease_token = task.lease_token};
    db().write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });
  }
};
QUARRY_BOTH_ENGINES(SearchesFollow);

TEST_P(SearchesFollow, FromTheFirstJobThatBeginsToTheLastThatEnds) {
  const auto search = create();
  const auto papers = job_of(search.id, "papers");
  const auto news = job_of(search.id, "news");
  EXPECT_EQ(status(search.id), SearchStatus::pending);
  clock().advance(std::chrono::seconds(1));
  move_job(papers, JobStatus::running);
  EXPECT_EQ(status(search.id), SearchStatus::processing);
  EXPECT_EQ(get(search.id).updated_at, clock().now());
  move_job(papers, JobStatus::failed);
  EXPECT_EQ(status(search.id), SearchStatus::processing) << "the other one may still answer";
  EXPECT_EQ(get(search.id).completed_at, std::nullopt);
  move_job(news, JobStatus::running);
  clock().advance(std::chrono::seconds(1));
  move_job(news, JobStatus::completed);
  EXPECT_EQ(status(search.id), SearchStatus::completed);
  EXPECT_EQ(get(search.id).completed_at, clock().now());
  EXPECT_EQ(get(search.id).error_message, std::nullopt);
}

TEST_P(SearchesFollow, TheirTasks) {
  const auto search = create("x", {"papers"});
  working_job_of(search.id, "papers");
  const auto task = claim();
  EXPECT_EQ(status(search.id), SearchStatus::processing);
  finish(task);
  EXPECT_EQ(status(search.id), SearchStatus::completed);
}

TEST_P(SearchesFollow, FailWhenEverySourceDidAndAreOpenAgainWhenOneIsRetried) {
  const auto search = create("x", {"news", "papers"});
  const auto papers = working_job_of(search.id, "papers");
  fail(claim());
  move_job(job_of(search.id, "news"), JobStatus::failed);
  EXPECT_EQ(status(search.id), SearchStatus::failed);
  EXPECT_TRUE(get(search.id).error_message);
  db().write([&](Write& tx) { jobs::retry(tx, papers); });
  EXPECT_EQ(status(search.id), SearchStatus::processing);
  EXPECT_EQ(get(search.id).completed_at, std::nullopt);
  EXPECT_EQ(get(search.id).error_message, std::nullopt);
  finish(claim());
  EXPECT_EQ(status(search.id), SearchStatus::completed);
  EXPECT_TRUE(get(search.id).completed_at);
}

TEST_P(SearchesFollow, AreOpenAgainWhenOneTaskIsRetried) {
  const auto search = create("x", {"papers"});
  working_job_of(search.id, "papers");
  const auto task = claim();
  fail(task);
  EXPECT_EQ(status(search.id), SearchStatus::failed);
  EXPECT_TRUE(db().write([&](Write& tx) { return queue::retry_task(tx, task.id); }));
  EXPECT_EQ(status(search.id), SearchStatus::processing);
}

TEST_P(SearchesFollow, EndWithTheCancellationOfTheirLastJob) {
  const auto search = create("x", {"news", "papers"});
  const auto papers = working_job_of(search.id, "papers");
  const auto news = job_of(search.id, "news");
  db().write([&](Write& tx) { jobs::cancel(tx, papers); });
  EXPECT_EQ(status(search.id), SearchStatus::processing);
  db().write([&](Write& tx) { jobs::cancel(tx, news); });
  EXPECT_EQ(status(search.id), SearchStatus::cancelled);
  EXPECT_EQ(get(search.id).completed_at, clock().now());

  const auto half = create("y", {"news", "papers"});
  const auto gone = job_of(half.id, "news");
  move_job(job_of(half.id, "papers"), JobStatus::failed);
  db().write([&](Write& tx) { jobs::cancel(tx, gone); });
  EXPECT_EQ(status(half.id), SearchStatus::failed) << "one was asked, and did not answer";
}

TEST_P(SearchesFollow, OnesCancelledByHandStayCancelled) {
  const auto search = create("x", {"papers"});
  const auto job = job_of(search.id, "papers");
  db().write([&](Write& tx) { searches::change_status(tx, search.id, SearchStatus::cancelled); });
  move_job(job, JobStatus::running);
  move_job(job, JobStatus::completed);
  EXPECT_EQ(status(search.id), SearchStatus::cancelled);
}

TEST_P(SearchesFollow, InTheTransactionOfATenantToo) {
  const auto search = create("x", {"papers"});
  const auto job = working_job_of(search.id, "papers");
  db().write({.actor = Actor::user(user_)}, [&](Write& tx) { jobs::cancel(tx, job); });
  EXPECT_EQ(status(search.id), SearchStatus::cancelled);
}

TEST_P(SearchesFollow, NothingIsLeftOfAMoveThatIsTakenBack) {
  const auto search = create("x", {"papers"});
  const auto job = job_of(search.id, "papers");
  EXPECT_ANY_THROW(db().write([&](Write& tx) {
    jobs::cancel(tx, job);
    EXPECT_EQ(searches::get(tx, search.id).status, SearchStatus::cancelled);
    throw std::runtime_error("undone");
  }));
  EXPECT_EQ(status(search.id), SearchStatus::pending);
}

/// Each of the last two jobs sees the other one open, unless they take turns at the search.
TEST_P(SearchesFollow, JobsThatEndAtOnceEndTheirSearch) {
  for (int round = 0; round < 20; ++round) {
    const auto search = create("x", {"a", "b", "c", "d"});
    std::vector<JobId> jobs;
    for (const auto* source : {"a", "b", "c", "d"}) jobs.push_back(job_of(search.id, source));
    std::vector<std::jthread> enders;
    for (const auto job : jobs)
      enders.emplace_back([this, job] { db().write([&](Write& tx) { jobs::change_status(tx, job, JobStatus::failed); }); });
    enders.clear();
    ASSERT_EQ(status(search.id), SearchStatus::failed) << "round " << round;
  }
}

}  // namespace
}  // namespace quarry::test
