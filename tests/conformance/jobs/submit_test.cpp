#include "conformance/jobs/jobs_test.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;
using queue::TaskStatus;

class JobsSubmit : public JobsTest {
 protected:
  std::string refusal(jobs::NewJob job) {
    std::string message;
    EXPECT_EQ(code_of([&] { submit(std::move(job)); }, &message), ErrorCode::invalid);
    return message;
  }
};
QUARRY_BOTH_ENGINES(JobsSubmit);

TEST_P(JobsSubmit, KeepsWhatItIsGiven) {
  const auto job = submit({.job_type = "papers",
                           .title = "Lithium — papers",
                           .description = "what is new",
                           .keywords = {"lithium", "a \"quoted\" one", "Käse"},
                           .config = {R"({"targetUrl":"https://example.org/"})"},
                           .priority = 2,
                           .scheduled_at = clock().now() + std::chrono::hours(1)});
  const auto found = get(job.id);
  EXPECT_EQ(found.title, "Lithium — papers");
  EXPECT_EQ(found.job_type, "papers");
  EXPECT_EQ(found.description, "what is new");
  EXPECT_THAT(found.keywords, testing::ElementsAre("lithium", "a \"quoted\" one", "Käse"));
  EXPECT_NE(found.config.text.find("https://example.org/"), std::string::npos);
  EXPECT_EQ(found.priority, 2);
  EXPECT_EQ(found.status, JobStatus::pending);
  EXPECT_EQ(found.user_id, user_);
  EXPECT_EQ(found.created_at, clock().now());
  EXPECT_EQ(found.updated_at, clock().now());
  EXPECT_EQ(found.scheduled_at, clock().now() + std::chrono::hours(1));
  EXPECT_EQ(found.started_at, std::nullopt);
}

TEST_P(JobsSubmit, RefusesWhatTheSchemaRefusesAndNamesIt) {
  EXPECT_THAT(refusal({.title = std::string(256, 'x')}), testing::HasSubstr("title has 256 characters"));
  EXPECT_THAT(refusal({.title = "\xff"}), testing::HasSubstr("title is not UTF-8"));
  EXPECT_THAT(refusal({.title = std::string("a\0b", 3)}), testing::HasSubstr("title"));
  EXPECT_THAT(refusal({.job_type = ""}), testing::HasSubstr("job_type"));
  EXPECT_THAT(refusal({.config = {"[1]"}}), testing::HasSubstr("config is JSON, but not an object"));
  EXPECT_THAT(refusal({.config = {"{"}}), testing::HasSubstr("config is not JSON"));
  EXPECT_THAT(refusal({.priority = 11}), testing::HasSubstr("priority 11"));
  EXPECT_THAT(refusal({.keywords = {std::string(101, 'k')}}), testing::HasSubstr("keyword"));
  EXPECT_THAT(refusal({.keywords = std::vector<std::string>(101, "k")}), testing::HasSubstr("101 keywords"));
  // 255 characters, whatever their bytes.
  std::string wide;
  for (int i = 0; i < 255; ++i) wide += "ß";
  EXPECT_EQ(get(submit({.title = wide}).id).title, wide);
}

TEST_P(JobsSubmit, UnknownUsersAndDependenciesAreNotFound) {
  const auto stranger = db().write([](Write& tx) { return tx.new_uuid(); });
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::submit(tx, {.user_id = UserId{stranger}, .title = "x"}); }); }),
            ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { submit({.depends_on_job_id = JobId{stranger}}); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { add(JobId{stranger}, 1); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { get(JobId{stranger}); }), ErrorCode::not_found);
}

TEST_P(JobsSubmit, TheQueueKeepsTheFigures) {
  const auto job = submit();
  EXPECT_EQ(add(job.id, 4).ids.size(), 4U);
  EXPECT_EQ(get(job.id).total_items, 4);
  EXPECT_EQ(get(job.id).open_tasks, 4);
  const auto tasks = claim();
  ASSERT_EQ(tasks.size(), 4U);
  EXPECT_EQ(get(job.id).status, JobStatus::running);
  for (int i = 0; i < 3; ++i) finish(tasks[static_cast<std::size_t>(i)]);
  EXPECT_EQ(get(job.id).progress, 75);
  give_up(tasks[3]);
  const auto ended = get(job.id);
  EXPECT_EQ(ended.status, JobStatus::completed);
  EXPECT_EQ(ended.processed_items, 3);
  EXPECT_EQ(ended.failed_items, 1);
  EXPECT_EQ(ended.open_tasks, 0);
  EXPECT_EQ(ended.progress, 100);
  EXPECT_EQ(ended.completed_at, clock().now());
}

TEST_P(JobsSubmit, GainsAddUp) {
  const auto job = submit();
  db().write([&](Write& tx) {
    jobs::add_gain(tx, job.id, {.results = 3, .bytes = 5'000'000'000});
    jobs::add_gain(tx, job.id, {.results = 1, .bytes = 1});
  });
  EXPECT_EQ(get(job.id).results_count, 4);
  EXPECT_EQ(get(job.id).bytes_fetched, 5'000'000'001);
}

TEST_P(JobsSubmit, TasksWaitForTheJobThatTheirsDependsOn) {
  const auto first = submit();
  add(first.id, 1);
  const auto second = submit({.depends_on_job_id = first.id});
  add(second.id, 2);
  EXPECT_EQ(in_state(second.id, TaskStatus::blocked), 2);
  auto tasks = claim();
  ASSERT_EQ(tasks.size(), 1U);
  finish(tasks.front());
  EXPECT_EQ(in_state(second.id, TaskStatus::pending), 2);
  // It has ended: nothing waits for it any more.
  add(second.id, 1);
  EXPECT_EQ(in_state(second.id, TaskStatus::pending), 3);
}

TEST_P(JobsSubmit, TasksOfAPausedJobWaitAndThoseOfACancelledOneDoNotRun) {
  const auto paused = submit();
  add(paused.id, 1);
  db().write([&](Write& tx) { jobs::pause(tx, paused.id); });
  add(paused.id, 1);
  EXPECT_EQ(in_state(paused.id, TaskStatus::paused), 2);

  const auto cancelled = submit();
  add(cancelled.id, 1);
  db().write([&](Write& tx) { jobs::cancel(tx, cancelled.id); });
  add(cancelled.id, 1);
  EXPECT_EQ(in_state(cancelled.id, TaskStatus::cancelled), 2);
  EXPECT_EQ(get(cancelled.id).status, JobStatus::cancelled);
  EXPECT_EQ(get(cancelled.id).open_tasks, 0);
  EXPECT_TRUE(claim().empty());
}

TEST_P(JobsSubmit, TasksHaveTheirJobsPriority) {
  const auto slow = submit({});
  add(slow.id, 1);
  const auto fast = submit({.priority = 1});
  add(fast.id, std::vector<queue::NewTask>{{}, {.priority = 9}});
  const auto tasks = claim(3);
  ASSERT_EQ(tasks.size(), 3U);
  EXPECT_EQ(tasks[0].job_id, fast.id) << "it came later and overtakes";
  EXPECT_EQ(tasks[1].job_id, slow.id);
  EXPECT_EQ(tasks[2].job_id, fast.id) << "a task's own priority stays";
}

TEST_P(JobsSubmit, ListsTheNewestFirstPageByPage) {
  std::vector<JobId> made;
  for (int i = 0; i < 5; ++i) {
    // Two at the same moment: the id decides.
    if (i % 2 == 0) clock().advance(std::chrono::seconds(1));
    made.push_back(submit({.job_type = i == 0 ? "other" : "crawl"}).id);
  }
  const auto list = [&](const jobs::ListFilter& filter, const PageRequest& page = {}) {
    return db().read([&](Read& tx) { return jobs::list(tx, filter, page).rows; });
  };
  const auto whole = list({});
  ASSERT_EQ(whole.size(), 5U);
  EXPECT_EQ(whole.front().id, made.back());
  EXPECT_THAT(whole.back().id, testing::AnyOf(made[0], made[1]));

  db().write([&](Write& tx) { jobs::cancel(tx, made[1]); });
  EXPECT_EQ(list({.status = JobStatus::cancelled}).size(), 1U);
  EXPECT_EQ(list({.status = JobStatus::pending, .job_type = "crawl"}).size(), 3U);
  EXPECT_EQ(list({.user_id = user_, .status = JobStatus::pending, .job_type = "other", .is_paused = false}).size(), 1U);
  EXPECT_EQ(list({.is_paused = true}).size(), 0U);
  EXPECT_EQ(code_of([&] { list({}, {.limit = 0}); }), ErrorCode::invalid);
}

TEST_P(JobsSubmit, TheLocalUserIsMadeOnce) {
  const auto again = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  EXPECT_EQ(again, user_);
  const auto found = db().read([](Read& tx) { return accounts::find_user(tx, "LOCAL"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, user_);
  EXPECT_EQ(found->role, accounts::Role::admin);
  EXPECT_EQ(db().read([&](Read& tx) { return accounts::find_user(tx, user_); })->username, "local");
}

}  // namespace
}  // namespace quarry::test
