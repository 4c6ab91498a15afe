/// What statistics and the totals cost, counted in rows and not in seconds; and that nobody waits for a row of totals.

#include <chrono>
#include <thread>

#include "conformance/jobs/totals_test.hpp"
#include "conformance/queue/explaining_session.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// PostgreSQL's own count, of this transaction.
constexpr sql::Query<std::int64_t()> jobs_read{
    "test.jobs_read", sql::sqlite("select 0"),
    sql::postgres("select (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables"
                  " where relname = 'scraping_jobs'")};
constexpr sql::Query<std::int64_t()> rows_written{
    "test.rows_written", sql::sqlite("select total_changes()"),
    sql::postgres("select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_xact_user_tables")};
constexpr sql::Query<std::int64_t()> count_totals{"test.count_totals", "select count(*) from job_totals"};

class JobTotalsCost : public TotalsTest {
 protected:
  /// The rows that `text` writes, those of its triggers included.
  std::int64_t written(const std::string& text) {
    return db().write([&](Write& tx) {
      const auto before = tx.value(rows_written);
      run(tx, text);
      return tx.value(rows_written) - before;
    });
  }
  std::int64_t totals() {
    return db().read([](Read& tx) { return tx.value(count_totals); });
  }
  void end_one(int n) {
    db().write([&](Write& tx) { run(tx, end_of(n)); });
  }
  static std::string end_of(int n) {
    return "update scraping_jobs set status = 'completed' where title = 'job " + std::to_string(n) + "'";
  }
  /// Jobs of Ada that run, `job 0` and so on.
  void running(int jobs, const std::string& of = "$ADA") {
    db().write([&](Write& tx) {
      for (int n = 0; n < jobs; ++n)
        run(tx, "insert into scraping_jobs (id, user_id, job_type, title, status) values ($NEW_ID, " + of +
                    ", 'crawl', 'job " + std::to_string(n) + "', 'running')");
    });
  }
};
QUARRY_BOTH_ENGINES(JobTotalsCost);

TEST_P(JobTotalsCost, SL7_StatisticsReadNoJobThatHasEnded) {
  seed(3'000);
  db().write([&](Write& tx) { run(tx, "update scraping_jobs set status = 'failed' where status = 'running'"); });
  running(3);
  running(2, "$BOB");
  db().backend().run_outside_transaction("test.analyze", "analyze");
  database().reopen();
  const UserId ada{parse_uuid("00000000-0000-7000-8000-000000000001")};
  db().read([&](Read& tx) {
    ExplainingSession session(tx.session());
    Read explained(session);
    jobs::statistics(explained);
    jobs::statistics(explained, ada);
    const auto& of_all = session.plans().at("jobs.statistics");
    const auto& of_one = session.plans().at("jobs.statistics_of_user");
    EXPECT_THAT(of_all, HasSubstr("idx_scraping_jobs_status"));
    EXPECT_THAT(of_one, HasSubstr("idx_scraping_jobs_user_status"));
    for (const auto& plan : {of_all, of_one}) {
      EXPECT_THAT(plan, Not(HasSubstr("SCAN scraping_jobs")));
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on scraping_jobs")));
    }
    EXPECT_THAT(of_one, HasSubstr(is_sqlite() ? "SEARCH job_totals USING PRIMARY KEY (user_id=?)" : "job_totals"));
  });
  if (is_sqlite()) return;
  const auto read_by = [&](std::optional<UserId> user) {
    return db().read([&](Read& tx) {
      const auto before = tx.value(jobs_read);
      EXPECT_EQ(jobs::statistics(tx, user).jobs, user ? 15'003 : 30'005);
      return tx.value(jobs_read) - before;
    });
  };
  EXPECT_EQ(read_by({}), 5);
  EXPECT_EQ(read_by(ada), 3);
}

TEST_P(JobTotalsCost, APageOfARunningJobWritesItsRowAlone) {
  seed(1);
  const std::string page =
      "update scraping_jobs set processed_items = processed_items + 1, progress = 5, status = 'running',"
      " updated_at = $NOW, total_items = total_items + 3, results_count = 1, bytes_fetched = bytes_fetched + 9 where title "
      "= "
      "'job 0'";
  running(1);
  EXPECT_EQ(written(page), 1);
  EXPECT_EQ(written(end_of(0)), is_sqlite() ? 4 : 3) << "and on SQLite updated_at by a statement of its own";
  EXPECT_EQ(written(page + " and status = 'completed'"), 3);
  expect_counters_equal_rows(db());
}

TEST_P(JobTotalsCost, OneWriterAfterTheOtherNeedsOneRowForEachStatus) {
  seed(1);
  running(50);
  const auto before = totals();
  for (int n = 0; n < 50; ++n) end_one(n);
  EXPECT_EQ(totals(), before);
  expect_counters_equal_rows(db());
}

TEST_P(JobTotalsCost, NobodyWaitsForARowOfTotals) {
  seed(1);
  running(2);
  running(2, "$BOB");
  if (is_sqlite()) return;
  const auto end = [&](Write& tx, int n, const std::string& whose) {
    run(tx, "set local lock_timeout = '20s'; " + end_of(n) + " and user_id = " + whose);
  };
  // Each in the order that the other one does not take; and each holds all that it has written until the end.
  db().write([&](Write& one) {
    end(one, 0, "$ADA");
    std::jthread([&] {
      db().write([&](Write& other) {
        end(other, 1, "$BOB");
        std::jthread([&] { db().write([&](Write& third) { end(third, 0, "$BOB"); }); }).join();
        end(other, 1, "$ADA");
      });
    }).join();
    run(one, "update scraping_jobs set total_items = total_items + 1 where status = 'failed'");
  });
  EXPECT_EQ(db().stats().retries, 0U);
  expect_counters_equal_rows(db());
  EXPECT_EQ(db().read([](Read& tx) { return jobs::statistics(tx).by_status[1].n; }), 2) << "those of the seed still run";
}

TEST_P(JobTotalsCost, ACrowdOfOneUsersJobsAddsUp) {
  seed(1);
  constexpr int jobs = 160, threads = 8;
  running(jobs);
  const auto before = totals();
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t)
      crowd.emplace_back([&, t] {
        for (int n = t; n < jobs; n += threads) end_one(n);
      });
  }
  EXPECT_EQ(db().stats().retries, 0U);
  EXPECT_LE(totals(), before + 2 * threads) << "no more rows than there were writers at once";
  expect_counters_equal_rows(db());
}

TEST_P(JobTotalsCost, ATenantReadsTheirTotalsAndWritesNone) {
  if (is_sqlite()) return;
  seed(1);
  const auto ada = Actor::user(UserId{parse_uuid("00000000-0000-7000-8000-000000000001")});
  for (const char* forged :
       {"update job_totals set jobs = 5", "delete from job_totals",
        "insert into job_totals values ($ADA, 'failed', 1, 1, 1, 1, 1, 1, 1)",
        "select add_to_job_totals($ADA, 'failed', 1, 1, 1, 1, 1, 1)",
        "create temp table mine (id uuid); create trigger t after insert on mine execute function keep_job_totals()"})
    EXPECT_EQ(code_of([&] { db().write({.actor = ada}, [&](Write& tx) { run(tx, forged); }); }), ErrorCode::denied)
        << forged;
  // Whatever a session calls its own tables: the totals are those beside the jobs.
  db().write({.actor = ada}, [&](Write& tx) {
    run(tx,
        "create temp table job_totals (like public.job_totals including all) on commit drop;"
        " create temp table users (id uuid) on commit drop;"
        " create temp view new_jobs as select * from public.scraping_jobs; set local search_path = pg_temp, public;"
        " update scraping_jobs set status = 'cancelled', total_items = 1; delete from scraping_jobs where deleted_at is "
        "null");
  });
  expect_counters_equal_rows(db());
}

}  // namespace
}  // namespace quarry::test
