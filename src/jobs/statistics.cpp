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

#define QUARRY_SUMS_SQLITE(jobs)                                                                \
  "select status, count(*) as n, sum(total_items) as items, sum(processed_items) as processed," \
  " sum(failed_items) as failed, sum(results_count) as results, sum(bytes_fetched) as bytes"    \
  " from " jobs " where deleted_at is null"
#define QUARRY_BY_STATUS_SQLITE                                                       \
  " group by status order by case status when 'pending' then 0 when 'running' then 1" \
  " when 'completed' then 2 when 'failed' then 3 else 4 end"
#define QUARRY_SUMS_POSTGRES                                                                                    \
  "select status, count(*) as n, sum(total_items)::bigint as items, sum(processed_items)::bigint as processed," \
  " sum(failed_items)::bigint as failed, sum(results_count)::bigint as results,"                                \
  " sum(bytes_fetched)::bigint as bytes from scraping_jobs where deleted_at is null"

/// SQLite would go by the index over the status, and from there to each row: in the order of the rows it takes a quarter of
/// that, at worst.
constexpr sql::Query<Sums()> sum_by_status{
    "jobs.statistics", sql::sqlite(QUARRY_SUMS_SQLITE("scraping_jobs not indexed") QUARRY_BY_STATUS_SQLITE),
    sql::postgres(QUARRY_SUMS_POSTGRES " group by status order by status")};
/// A statement of its own: with "or no user is given" no index would find a user's jobs.
constexpr sql::Query<Sums(UserId)> sum_of_user{
    "jobs.statistics_of_user", sql::sqlite(QUARRY_SUMS_SQLITE("scraping_jobs") " and user_id = $1" QUARRY_BY_STATUS_SQLITE),
    sql::postgres(QUARRY_SUMS_POSTGRES " and user_id = $1 group by status order by status")};

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
