#include "quarry/jobs/statistics.hpp"

namespace quarry::jobs {
namespace {

struct Sums {
  JobStatus status;
  std::int64_t n;
  std::int64_t items;
  std::int64_t processed;
  std::int64_t failed;
  std::int64_t results;
  std::int64_t bytes;
};
BOOST_DESCRIBE_STRUCT(Sums, (), (status, n, items, processed, failed, results, bytes))

#define QUARRY_STATUS_ORDER \
  "case status when 'pending' then 0 when 'running' then 1 when 'completed' then 2 when 'failed' then 3 else 4 end"

// One statement, so that both halves are of one moment: the totals, and beside them the figures of the jobs that run, which
// the totals count and do not add up.
#define QUARRY_SUMS(in_totals, of_jobs)                                                                    \
  "select status, cast(sum(jobs) as bigint) as n, cast(sum(items) as bigint) as items,"                    \
  " cast(sum(processed) as bigint) as processed, cast(sum(failed) as bigint) as failed,"                   \
  " cast(sum(results) as bigint) as results, cast(sum(bytes) as bigint) as bytes from ("                   \
  "  select status, jobs, items, processed, failed, results, bytes from job_totals" in_totals              \
  "  union all select status, 0, total_items, processed_items, failed_items, results_count, bytes_fetched" \
  "  from scraping_jobs where status = 'running' and deleted_at is null" of_jobs                           \
  ") t group by status having sum(jobs) <> 0"                                                              \
  " order by "

constexpr sql::Query<Sums()> sum_by_status{"jobs.statistics", sql::sqlite(QUARRY_SUMS("", "") QUARRY_STATUS_ORDER),
                                           sql::postgres(QUARRY_SUMS("", "") "status")};
/// A statement of its own: with "or no user is given" no index would find a user's jobs.
constexpr sql::Query<Sums(UserId)> sum_of_user{
    "jobs.statistics_of_user", sql::sqlite(QUARRY_SUMS(" where user_id = $1", " and user_id = $1") QUARRY_STATUS_ORDER),
    sql::postgres(QUARRY_SUMS(" where user_id = $1", " and user_id = $1") "status")};

}  // namespace

Statistics statistics(Read& tx, std::optional<UserId> user) {
  Statistics result;
  if (!tx.actor().sees_all()) {
    if (user && !tx.actor().sees(*user)) return result;
    user = tx.actor().user_id();
  }
  for (const auto& sums : user ? tx.all(sum_of_user, *user) : tx.all(sum_by_status)) {
    result.by_status.push_back({sums.status, sums.n});
    result.jobs += sums.n;
    result.items += sums.items;
    result.processed_items += sums.processed;
    result.failed_items += sums.failed;
    result.results += sums.results;
    result.bytes_fetched += sums.bytes;
  }
  if (const auto ended = result.processed_items + result.failed_items; ended > 0)
    result.success_rate = static_cast<double>(result.processed_items) / static_cast<double>(ended);
  return result;
}

}  // namespace quarry::jobs
