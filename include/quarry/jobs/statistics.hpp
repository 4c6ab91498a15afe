#pragma once
/// Jobs in figures.
///
/// Errors: those of the database. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

struct StatusCount {
  JobStatus status = JobStatus::pending;
  std::int64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(StatusCount, (), (status, n))

struct Statistics {
  std::int64_t jobs = 0;
  std::vector<StatusCount> by_status;  ///< states without jobs are left out
  std::int64_t items = 0;              ///< pages and the like, of all jobs
  std::int64_t processed_items = 0;    ///< of them, those that succeeded
  std::int64_t failed_items = 0;
  std::int64_t results = 0;
  std::int64_t bytes_fetched = 0;
  std::optional<double> success_rate;  ///< processed / (processed + failed), 0 to 1; nothing before the first has ended
};
BOOST_DESCRIBE_STRUCT(Statistics, (),
                      (jobs, by_status, items, processed_items, failed_items, results, bytes_fetched, success_rate))

/// Of one user, or of everybody that the actor sees. One aggregate in the engine: no job comes over to be counted. A user's
/// jobs are found by an index; for everybody each job is read once, in the order in which they lie: about a microsecond a
/// job. Its cost grows with the number of jobs, not with their tasks, pages or logs. (Counters beside them would be written
/// with every page, by all workers of a user at once; `ops::statistics` has figures in constant time.)
Statistics statistics(Read& tx, std::optional<UserId> user = {});

}  // namespace quarry::jobs
