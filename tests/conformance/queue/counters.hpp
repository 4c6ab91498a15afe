#pragma once
/// The queue's figures are kept and never counted. A test counts them.

#include "quarry/sql/database.hpp"

namespace quarry::test {

/// Fails the running test for every figure that differs from the rows it stands for: `queue_counts`, `hosts.pending` and
/// `in_flight`, and `open_tasks`, `total_items`, `processed_items` and `failed_items` of `scraping_jobs`. Tasks deleted by
/// `purge_ended` stay in the jobs' totals, so a job is compared only while none of its tasks is gone.
void expect_counters_equal_rows(Database& db);

}  // namespace quarry::test
