#include "conformance/queue/counters.hpp"

#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <string>

namespace quarry::test {
namespace {

struct Difference {
  std::string what;
  std::int64_t kept;
  std::int64_t counted;
};
BOOST_DESCRIBE_STRUCT(Difference, (), (what, kept, counted))

constexpr sql::Query<Difference()> wrong_counts{
    "test.wrong_counts",
    "select 'queue ' || cast(queue_id as text) || ' ' || cast(status as text) as what, cast(sum(kept) as bigint) as kept,"
    " cast(sum(counted) as bigint) as counted from ("
    "  select queue_id, status, n as kept, 0 as counted from queue_counts"
    "  union all select queue_id, status, 0, 1 from task_queue) c"
    " group by queue_id, status having sum(kept) <> sum(counted) order by 1"};

constexpr sql::Query<Difference()> wrong_pending{
    "test.wrong_pending",
    "select 'pending of ' || host_key as what, pending as kept, counted from (select h.host_key, h.pending,"
    " (select count(*) from task_queue t where t.host_id = h.id and t.status = 'pending') as counted from hosts h) c"
    " where pending <> counted order by 1"};

constexpr sql::Query<Difference()> wrong_in_flight{
    "test.wrong_in_flight",
    "select 'in_flight of ' || host_key as what, in_flight as kept, counted from (select h.host_key, h.in_flight,"
    " (select count(*) from task_queue t where t.host_id = h.id and t.status = 'processing') as counted from hosts h) c"
    " where in_flight <> counted order by 1"};

struct JobFigures {
  std::string title;
  std::int64_t total;
  std::int64_t open;
  std::int64_t processed;
  std::int64_t failed;
  std::int64_t total_rows;
  std::int64_t open_rows;
  std::int64_t processed_rows;
  std::int64_t failed_rows;
};
BOOST_DESCRIBE_STRUCT(JobFigures, (),
                      (title, total, open, processed, failed, total_rows, open_rows, processed_rows, failed_rows))

constexpr sql::Query<JobFigures()> job_figures{
    "test.job_figures",
    "select j.title as title, j.total_items as total, j.open_tasks as open, j.processed_items as processed, j.failed_items "
    "as failed,"
    " count(t.id) as total_rows,"
    " count(case when t.status in ('scheduled', 'pending', 'blocked', 'paused', 'processing') then 1 end) as open_rows,"
    " count(case when t.status = 'completed' then 1 end) as processed_rows,"
    " count(case when t.status in ('failed', 'dead') then 1 end) as failed_rows"
    " from scraping_jobs j left join task_queue t on t.job_id = j.id"
    " group by j.id, j.title, j.total_items, j.open_tasks, j.processed_items, j.failed_items order by 1"};

/// What the totals say too much or, below zero, too little.
struct TotalsOff {
  std::string what;
  std::int64_t jobs;
  std::int64_t items;
  std::int64_t processed;
  std::int64_t failed;
  std::int64_t results;
  std::int64_t bytes;
};
BOOST_DESCRIBE_STRUCT(TotalsOff, (), (what, jobs, items, processed, failed, results, bytes))

#define QUARRY_TOTALS_OFF(user)                                                                                       \
  "select " user                                                                                                      \
  " || ', ' || cast(status as text) as what, cast(sum(jobs) as bigint) as jobs, cast(sum(items) as bigint) as items," \
  " cast(sum(processed) as bigint) as processed, cast(sum(failed) as bigint) as failed,"                              \
  " cast(sum(results) as bigint) as results, cast(sum(bytes) as bigint) as bytes from ("                              \
  "  select user_id, status, jobs, items, processed, failed, results, bytes from job_totals union all"                \
  "  select user_id, status, -1, -total_items, -processed_items, -failed_items, -results_count, -bytes_fetched"       \
  "  from scraping_jobs where deleted_at is null and status <> 'running' union all"                                   \
  "  select user_id, status, -1, 0, 0, 0, 0, 0 from scraping_jobs where deleted_at is null and status = 'running') t" \
  " group by user_id, status having sum(jobs) <> 0 or sum(items) <> 0 or sum(processed) <> 0 or sum(failed) <> 0"     \
  " or sum(results) <> 0 or sum(bytes) <> 0 order by 1"
constexpr sql::Query<TotalsOff()> wrong_totals{"test.wrong_totals", sql::sqlite(QUARRY_TOTALS_OFF("hex(user_id)")),
                                               sql::postgres(QUARRY_TOTALS_OFF("user_id::text"))};

}  // namespace

void expect_totals_equal_jobs(Read& tx) {
  for (const auto& off : tx.all(wrong_totals))
    ADD_FAILURE() << "job_totals of " << off.what << " are off by " << off.jobs << " jobs, " << off.items << " items, "
                  << off.processed << " processed, " << off.failed << " failed, " << off.results << " results, " << off.bytes
                  << " bytes";
}

void expect_counters_equal_rows(Database& db) {
  db.read([](Read& tx) { expect_totals_equal_jobs(tx); });
  const auto [differences, jobs] = db.read([](Read& tx) {
    std::vector<Difference> found;
    for (const auto* query : {&wrong_counts, &wrong_pending, &wrong_in_flight})
      for (auto& difference : tx.all(*query)) found.push_back(std::move(difference));
    return std::pair(found, tx.all(job_figures));
  });
  for (const auto& [what, kept, counted] : differences)
    ADD_FAILURE() << what << " is kept as " << kept << " and counted as " << counted;
  for (const auto& job : jobs) {
    EXPECT_EQ(job.open, job.open_rows) << "open_tasks of " << job.title;
    if (job.total != job.total_rows) continue;
    EXPECT_EQ(job.processed, job.processed_rows) << "processed_items of " << job.title;
    EXPECT_EQ(job.failed, job.failed_rows) << "failed_items of " << job.title;
  }
}

}  // namespace quarry::test
