#include "quarry/jobs/change.hpp"

#include "conformance/jobs/jobs_test.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/statistics.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;

class JobsChange : public JobsTest {
 protected:
  jobs::Job update(JobId id, const jobs::JobChanges& changes) {
    return db().write([&](Write& tx) { return jobs::update(tx, id, changes); });
  }
  JobId ended_job(int tasks) {
    const auto job = submit();
    add(job.id, tasks);
    for (const auto& task : claim(100)) finish(task);
    return job.id;
  }
  std::int64_t rows(const char* table) {
    const std::string text = std::string("select count(*) from ") + table;
    return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", text)); });
  }
};
QUARRY_BOTH_ENGINES(JobsChange);

TEST_P(JobsChange, NamedFieldsAndNothingElse) {
  const auto before = submit({.title = "old", .description = "words", .keywords = {"a"}});
  const auto after = update(before.id, {.title = "new", .expanded_keywords = std::vector<std::string>{"b", "c"}});
  EXPECT_EQ(after.title, "new");
  EXPECT_EQ(after.description, "words");
  EXPECT_EQ(after.keywords, before.keywords);
  EXPECT_EQ(after.expanded_keywords, (std::vector<std::string>{"b", "c"}));
  EXPECT_GT(after.updated_at, before.updated_at) << "although the clock stands still";
  const auto none = update(before.id, {.description = std::optional<std::string>{},
                                       .expanded_keywords = std::optional<std::vector<std::string>>{}});
  EXPECT_EQ(none.description, std::nullopt);
  EXPECT_EQ(none.expanded_keywords, std::nullopt);
  EXPECT_EQ(update(before.id, {}).updated_at, none.updated_at) << "nothing set, nothing moved";
}

TEST_P(JobsChange, AStaleUpdateIsAConflict) {
  const auto read = submit({.title = "first"});
  update(read.id, {.title = "second", .unchanged_since = read.updated_at});
  EXPECT_EQ(code_of([&] { update(read.id, {.title = "third", .unchanged_since = read.updated_at}); }), ErrorCode::conflict);
  EXPECT_EQ(get(read.id).title, "second");
}

TEST_P(JobsChange, BadFieldsAreNamed) {
  const auto id = submit().id;
  EXPECT_EQ(code_of([&] { update(id, {.title = ""}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update(id, {.title = std::string(256, 'x')}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update(id, {.priority = 11}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update(id, {.config = Json{"[]"}}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { update({}, {.title = "x"}); }), ErrorCode::not_found);
}

TEST_P(JobsChange, ConfigAndPriorityAreFixedOnceItRuns) {
  const auto job = submit();
  EXPECT_EQ(update(job.id, {.priority = 1, .config = Json{R"({"a": 1})"}}).priority, 1);
  add(job.id, 1);
  const auto tasks = claim();
  EXPECT_EQ(code_of([&] { update(job.id, {.priority = 2}); }), ErrorCode::conflict);
  EXPECT_EQ(update(job.id, {.title = "still mine to name"}).title, "still mine to name");
}

TEST_P(JobsChange, DeleteHidesAndUndeleteBringsBack) {
  const auto open = submit();
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::soft_delete(tx, open.id); }); }), ErrorCode::conflict);
  const auto id = ended_job(1);
  EXPECT_TRUE(db().write([&](Write& tx) { return jobs::soft_delete(tx, id); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return jobs::soft_delete(tx, id); }));
  EXPECT_FALSE(db().read([&](Read& tx) { return jobs::exists(tx, id); }));
  EXPECT_EQ(db().read([](Read& tx) { return jobs::list(tx, {.deleted = true}).rows; }).size(), 1U);
  EXPECT_EQ(code_of([&] { update(id, {.title = "x"}); }), ErrorCode::not_found);
  EXPECT_TRUE(db().write([&](Write& tx) { return jobs::undelete(tx, id); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return jobs::undelete(tx, id); }));
  EXPECT_TRUE(db().read([&](Read& tx) { return jobs::exists(tx, id); }));
}

// SL-6, SX-11
TEST_P(JobsChange, PurgeTakesTheChildrenInBatchesAndLeavesNoCountBehind) {
  const auto id = ended_job(5);
  const auto kept = ended_job(2);
  artifacts::FileBlobStore blobs(database().folder() / "blobs");
  const std::string body = "a page";
  const auto blob = blobs.put(std::as_bytes(std::span(body)));
  db().write([&](Write& tx) {
    jobs::append_log(tx, id, {.message = "a line"});
    jobs::set_configuration(tx, id, "k", "v");
    artifacts::put_artifact(tx, {.user_id = user_, .job_id = id, .source_url = "http://h/", .title = "t", .blob = blob});
  });
  int calls = 0;
  for (jobs::Moved moved{0, false}; !moved.done; ++calls)
    moved = db().write([&](Write& tx) { return jobs::purge(tx, id, 2); });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(rows("scraping_jobs"), 1);
  EXPECT_EQ(rows("task_queue"), 2);
  EXPECT_EQ(rows("artifacts"), 0);
  EXPECT_EQ(db().read([](Read& tx) {
    return tx.value(sql::Query<std::int64_t()>{
        "test.orphans", "select count(*) from blobs where ref_count = 0 and unreferenced_since is not null"});
  }),
            1)
      << "the body waits for the collector";
  EXPECT_EQ(rows("job_logs"), 2) << "the begin and the end of the job that stays";
  EXPECT_EQ(rows("job_configurations"), 0);
  EXPECT_EQ(db().read([](Read& tx) {
    return tx.value(sql::Query<std::int64_t()>{"test.counted", "select cast(sum(n) as bigint) from queue_counts"});
  }),
            2);
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::purge(tx, id); }); }), ErrorCode::not_found);
  const auto open = submit();
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::purge(tx, open.id); }); }), ErrorCode::conflict);
  clock().advance(std::chrono::hours(1));
  EXPECT_EQ(db().read([&](Read& tx) { return jobs::ended_before(tx, tx.now()); }), std::vector<JobId>{kept});
}

TEST_P(JobsChange, ConfigurationsAreOnePerKey) {
  const auto id = submit().id;
  db().write([&](Write& tx) {
    jobs::set_configuration(tx, id, "b", "1");
    jobs::set_configuration(tx, id, "B", std::nullopt);
    jobs::set_configuration(tx, id, "b", "2");
  });
  const auto all = db().read([&](Read& tx) { return jobs::list_configurations(tx, id); });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].config_key, "B");
  EXPECT_EQ(all[0].config_value, std::nullopt);
  EXPECT_EQ(all[1].config_value, "2");
  EXPECT_TRUE(db().write([&](Write& tx) { return jobs::unset_configuration(tx, id, "b"); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return jobs::unset_configuration(tx, id, "b"); }));
  EXPECT_EQ(db().read([&](Read& tx) { return jobs::find_configuration(tx, id, "b"); }), std::nullopt);
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::set_configuration(tx, {}, "b", "1"); }); }),
            ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::set_configuration(tx, id, "", "1"); }); }), ErrorCode::invalid);
}

TEST_P(JobsChange, StatisticsAddUp) {
  EXPECT_EQ(db().read([](Read& tx) { return jobs::statistics(tx).success_rate; }), std::nullopt);
  const auto job = submit();
  add(job.id, 4);
  const auto tasks = claim();
  for (int i = 0; i < 3; ++i) finish(tasks[static_cast<std::size_t>(i)]);
  give_up(tasks[3]);
  submit();
  const auto figures = db().read([&](Read& tx) { return jobs::statistics(tx, user_); });
  EXPECT_EQ(figures.jobs, 2);
  ASSERT_EQ(figures.by_status.size(), 2U);
  EXPECT_EQ(figures.by_status[0].status, JobStatus::pending);
  EXPECT_EQ(figures.processed_items, 3);
  EXPECT_EQ(figures.failed_items, 1);
  EXPECT_EQ(figures.success_rate, 0.75);
}

}  // namespace
}  // namespace quarry::test
