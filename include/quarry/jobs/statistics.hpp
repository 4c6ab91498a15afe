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

/// Of one user, or of everybody that the actor sees; deleted jobs are left out. No job that has ended, or waits, is read:
/// the table `job_totals` holds what they add up to, kept by the database's own triggers in the transaction that changes
/// them. Those that run are added by an index, because their figures move with every page, and a row that held their sums
/// would be written with each of them.
///
/// Cost: for one user that of their jobs that run, a microsecond or two each, however many others there are. For everybody
/// that of all jobs that run, and of a few rows of totals a user (one for each status that their jobs have; on PostgreSQL
/// times as many as transactions have ended jobs of theirs at the same moment).
Statistics statistics(Read& tx, std::optional<UserId> user = {});

}  // namespace quarry::jobs
