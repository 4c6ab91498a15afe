/// `job_totals` says what the jobs add up to, whichever way a job has changed: by the stores, by somebody's own SQL, one at
/// a time or all at once.

#include "conformance/jobs/totals_test.hpp"

#include <fmt/format.h>

#include <array>

#include "quarry/jobs/change.hpp"
#include "quarry/queue/control.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;

class JobTotals : public TotalsTest {};
QUARRY_BOTH_ENGINES(JobTotals);

TEST_P(JobTotals, FollowEveryWayOfSql) {
  seed(4);
  for (const char* way : {
           "update scraping_jobs set status = 'running'",
           "update scraping_jobs set status = case status when 'pending' then 'running' when 'running' then 'completed'"
           " when 'completed' then 'failed' when 'failed' then 'cancelled' else 'pending' end$STATUS",
           "update scraping_jobs set total_items = total_items + 7 where status = 'running'",
           "update scraping_jobs set bytes_fetched = bytes_fetched * 3, results_count = 5 where status <> 'running'",
           "update scraping_jobs set processed_items = processed_items + 1, failed_items = failed_items + 2, total_items = "
           "1",
           "update scraping_jobs set title = 'other'",
           "update scraping_jobs set deleted_at = $NOW",
           "update scraping_jobs set deleted_at = $NOW where status = 'running'",
           "update scraping_jobs set deleted_at = null",
           "update scraping_jobs set deleted_at = null, status = 'failed', failed_items = 9 where status = 'running'",
           "update scraping_jobs set search_id = null, user_id = $BOB",
           "update scraping_jobs set search_id = null, user_id = case user_id when $BOB then $ADA else $BOB end",
           "update scraping_jobs set search_id = null, user_id = $BOB, status = 'pending', deleted_at = null, total_items = "
           "77",
           "update scraping_jobs set id = $NEW_ID",
           "update scraping_jobs set id = $NEW_ID, status = 'completed'",
           "delete from scraping_jobs where status = 'running'",
           "delete from scraping_jobs where deleted_at is null and user_id = $ADA",
           "delete from scraping_jobs where deleted_at is not null",
           "delete from scraping_jobs",
           "delete from searches where user_id = $BOB",
           "delete from users where id = $ADA",
           "delete from users",
           "insert into scraping_jobs (id, user_id, job_type, title) values ($NEW_ID, $ADA, 'crawl', 'one')",
           "insert into scraping_jobs (id, user_id, job_type, title, status, total_items, deleted_at)"
           " values ($NEW_ID, $ADA, 'crawl', 'one', 'failed', 9, $NOW), ($NEW_ID, $BOB, 'crawl', 'one', 'failed', 9, null),"
           " ($NEW_ID, $ADA, 'crawl', 'one', 'running', 9, null), ($NEW_ID, $ADA, 'crawl', 'one', 'failed', 9, null)",
           "insert into scraping_jobs (id, user_id, job_type, title, status, bytes_fetched)"
           " select $NEW_ID, user_id, job_type, title, status, 3000000000 from scraping_jobs",
       })
    tries(way, way);
}

TEST_P(JobTotals, FollowEachJobFromEveryStatusToEveryOther) {
  static constexpr std::array all{JobStatus::pending, JobStatus::running, JobStatus::completed, JobStatus::failed,
                                  JobStatus::cancelled};
  seed(1);
  for (const auto from : all)
    for (const auto to : all)
      for (const bool was_deleted : {false, true})
        for (const bool is_deleted : {false, true}) {
          const auto deleted = [](bool yes) { return yes ? "$NOW" : "null"; };
          const auto before = fmt::format("update scraping_jobs set status = '{}', deleted_at = {}, total_items = 3",
                                          to_string(from), deleted(was_deleted));
          const auto way = fmt::format(
              "update scraping_jobs set status = '{}', deleted_at = {}, total_items = 4 where id ="
              " (select id from scraping_jobs order by id limit 1)",
              to_string(to), deleted(is_deleted));
          tries(before + "; " + way, way);
        }
}

TEST_P(JobTotals, FollowWhatOnlyOneEngineHas) {
  seed(2);
  if (is_sqlite()) {
    tries("update or ignore scraping_jobs set status = 'failed'", "or ignore");
    tries("update or replace scraping_jobs set status = 'failed' where rowid < 5", "or replace, of no key");
    return;
  }
  for (const char* way :
       {"insert into scraping_jobs (id, user_id, job_type, title, status) select id, user_id, job_type, title, 'failed'"
        " from scraping_jobs on conflict (id) do update set status = excluded.status, total_items = 6",
        "insert into scraping_jobs (id, user_id, job_type, title) select id, user_id, job_type, title from scraping_jobs"
        " on conflict do nothing",
        "merge into scraping_jobs j using (select id, n from scraping_jobs, generate_series(1, 2) n) s"
        " on j.id = s.id and s.n = 1 when matched and j.status = 'failed' then delete"
        " when matched then update set status = 'failed', results_count = 8"
        " when not matched then insert (id, user_id, job_type, title, total_items)"
        " values (gen_random_uuid(), $ADA, 'crawl', 'merged', 5)",
        "with a as (update scraping_jobs set status = 'failed' where status = 'pending' returning id),"
        " b as (update scraping_jobs set total_items = 50 where status = 'running' returning id),"
        " c as (update scraping_jobs set deleted_at = $NOW where status = 'completed' returning id),"
        " d as (insert into scraping_jobs (id, user_id, job_type, title) values ($NEW_ID, $BOB, 'crawl', 'd') returning id)"
        " delete from scraping_jobs where status = 'cancelled'",
        "truncate scraping_jobs cascade"})
    tries(way, way);
  // The first row of the statement has nothing to say: each of the others speaks for itself.
  tries(
      "update scraping_jobs set status = 'running';"
      " update scraping_jobs set status = case id when (select id from scraping_jobs limit 1) then 'running'$STATUS"
      " else 'completed'$STATUS end",
      "a first row that stays as it is");
}

TEST_P(JobTotals, GoBackWithWhatIsTakenBack) {
  seed(2);
  const auto before = figures(std::nullopt);
  struct Undo {};
  try {
    db().write([&](Write& tx) {
      run(tx, "update scraping_jobs set status = 'failed'; delete from scraping_jobs where user_id = $ADA");
      throw Undo{};
    });
  } catch (const Undo&) {
  }
  db().write([&](Write& tx) {
    tx.session().savepoint();
    run(tx, "update scraping_jobs set status = 'pending', total_items = 1000");
    tx.session().rollback_savepoint();
  });
  // Refused in the middle: the rows before are as they were.
  EXPECT_EQ(
      code_of([&] {
        db().write([&](Write& tx) {
          run(tx, "update scraping_jobs set status = 'failed', progress = case when deleted_at is null then 5 else 999 end");
        });
      }),
      ErrorCode::constraint);
  EXPECT_EQ(figures(std::nullopt), before);
  db().read([](Read& tx) { expect_totals_equal_jobs(tx); });
}

// SQLite deletes what is in the way of a REPLACE past the trigger of deletions. A job's logs and tasks would go with it.
TEST_P(JobTotals, NoJobIsReplaced) {
  if (is_postgres()) GTEST_SKIP() << "it has no INSERT OR REPLACE";
  seed(1);
  const auto before = figures(std::nullopt);
  for (const char* way : {"insert or replace into scraping_jobs (id, user_id, job_type, title)"
                          " select id, user_id, 'crawl', 'replaced' from scraping_jobs where status = 'failed'",
                          "insert or ignore into scraping_jobs (id, user_id, job_type, title)"
                          " select id, user_id, 'crawl', 'ignored' from scraping_jobs",
                          "insert into scraping_jobs (id, user_id, job_type, title)"
                          " select id, user_id, 'crawl', 'changed' from scraping_jobs where true"
                          " on conflict (id) do update set title = 'changed'",
                          "replace into scraping_jobs (rowid, id, user_id, job_type, title)"
                          " select rowid, $NEW_ID, user_id, 'crawl', 'replaced' from scraping_jobs"})
    EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { run(tx, way); }); }), ErrorCode::constraint) << way;
  EXPECT_EQ(figures(std::nullopt), before);
  tries("insert or replace into scraping_jobs (id, user_id, job_type, title) values ($NEW_ID, $ADA, 'crawl', 'a new one')",
        "one that replaces nothing");
}

// As docs/jobs.md says.
TEST_P(JobTotals, CanBeCountedAnew) {
  seed(3);
  const auto right = figures(std::nullopt);
  db().write([&](Write& tx) { run(tx, "update job_totals set jobs = jobs + 5, items = 0, bytes = -1"); });
  ASSERT_NE(figures(std::nullopt), right);
  db().write([&](Write& tx) {
    run(tx,
        "delete from job_totals;"
        " insert into job_totals (user_id, status, shard, jobs, items, processed, failed, results, bytes)"
        " select user_id, status, 0, count(*), sum(case status when 'running' then 0 else total_items end),"
        " sum(case status when 'running' then 0 else processed_items end),"
        " sum(case status when 'running' then 0 else failed_items end),"
        " sum(case status when 'running' then 0 else results_count end),"
        " sum(case status when 'running' then 0 else bytes_fetched end)"
        " from scraping_jobs where deleted_at is null group by user_id, status");
  });
  EXPECT_EQ(figures(std::nullopt), right);
  expect_counters_equal_rows(db());
}

TEST_P(JobTotals, FollowTheStores) {
  const auto expect_equal = [&] { expect_counters_equal_rows(db()); };
  const auto job = submit().id;
  expect_equal();
  add(job, 5);
  expect_equal();
  EXPECT_EQ(figures(user_).items, 5) << "of a job that waits";
  const auto tasks = claim();
  expect_equal();
  finish(tasks[0]);
  give_up(tasks[1]);
  db().write([&](Write& tx) { jobs::add_gain(tx, job, {.results = 2, .bytes = 300}); });
  EXPECT_EQ(figures(user_).processed_items, 1) << "of a job that runs";
  EXPECT_EQ(figures(user_).bytes_fetched, 300);
  for (std::size_t i = 2; i < 5; ++i) finish(tasks[i]);
  expect_equal();
  db().write([&](Write& tx) { jobs::add_gain(tx, job, {.results = 1, .bytes = 4}); });
  expect_equal();
  EXPECT_EQ(figures(user_).bytes_fetched, 304) << "what comes after the end";
  db().write([&](Write& tx) { jobs::retry(tx, job); });
  expect_equal();
  db().write([&](Write& tx) { jobs::cancel(tx, job); });
  expect_equal();
  db().write([&](Write& tx) { jobs::soft_delete(tx, job); });
  expect_equal();
  EXPECT_EQ(figures(user_).jobs, 0);
  db().write([&](Write& tx) { jobs::undelete(tx, job); });
  expect_equal();
  EXPECT_EQ(figures(user_).jobs, 1);
  db().write([&](Write& tx) { jobs::purge(tx, job); });
  expect_equal();
  EXPECT_EQ(figures(user_), jobs::Statistics{});
}

struct JobRow {
  JobId id;
  UserId user_id;
  std::string_view job_type;
  std::string_view title;
  JobStatus status;
  int total_items;
};
BOOST_DESCRIBE_STRUCT(JobRow, (), (id, user_id, job_type, title, status, total_items))

// On PostgreSQL by COPY.
TEST_P(JobTotals, FollowABulkInsert) {
  db().write([&](Write& tx) {
    std::vector<JobRow> rows;
    for (int i = 0; i < 3'000; ++i)
      rows.push_back({tx.new_id<JobId>(), user_, "crawl", "t", i % 3 == 0 ? JobStatus::running : JobStatus::failed, i});
    tx.insert_all(sql::Table<JobRow>("scraping_jobs"), rows);
    expect_totals_equal_jobs(tx);
  });
  EXPECT_EQ(figures(user_).jobs, 3'000);
  EXPECT_EQ(figures(user_).items, 3'000 * 2'999 / 2);
}

}  // namespace
}  // namespace quarry::test
