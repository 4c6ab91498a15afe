#pragma once
/// The figures of the queue and of all jobs are kept and never counted. A test counts them.

#include "quarry/sql/database.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::test {

/// Fails the running test for every figure that differs from the rows it stands for: `queue_counts`, `hosts.pending` and
/// `in_flight`, `open_tasks`, `total_items`, `processed_items` and `failed_items` of `scraping_jobs`, and all of
/// `job_totals`. Tasks deleted by `purge_ended` stay in the jobs' totals, so a job is compared only while none of its tasks
/// is gone.
void expect_counters_equal_rows(Database& db);

/// The last of them alone, inside a transaction.
void expect_totals_equal_jobs(Read& tx);

}  // namespace quarry::test
