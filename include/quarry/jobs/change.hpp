#pragma once
/// A job's own words changed, and jobs taken away: first hidden, then purged.
///
/// Errors: `not_found`, `invalid` (a field out of its bounds), `conflict` (the job has changed since it was read, or its
/// state forbids it).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/jobs/control.hpp"
#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

/// What is set is changed; an inner nothing takes a value away.
struct JobChanges {
  std::optional<std::string> title{};
  std::optional<std::optional<std::string>> description{};
  std::optional<std::vector<std::string>> keywords{};
  std::optional<std::optional<std::vector<std::string>>> expanded_keywords{};
  /// These only while the job is pending: afterwards they would not say what was done.
  std::optional<std::string> job_type{};
  std::optional<int> priority{};  ///< of tasks that are added from now on
  std::optional<Json> config{};
  std::optional<int> schema_version{};  ///< of `config`; counts from 1
  /// `updated_at` as the caller read it; the job must not have changed since.
  std::optional<Instant> unchanged_since{};
};
/// The job as it is now.
Job update(Write& tx, JobId job, const JobChanges& changes);

/// Hides a job that has ended: lists and `find` do not show it, `undelete` brings it back. An open one is a `conflict`:
/// cancel it first. False when it was hidden already.
bool soft_delete(Write& tx, JobId job);
/// False when it was not hidden.
bool undelete(Write& tx, JobId job);

/// Takes a job away for good, with its tasks, artifacts, logs and configurations, at most `limit` rows of each in one call:
/// call again while the result is not `done`. Bodies that nothing refers to any more wait for `artifacts::collect_garbage`.
/// A job that is open is a `conflict`, and so is a cancelled one whose last tasks are still with their workers.
Moved purge(Write& tx, JobId job, int limit = 1'000);

/// Jobs that ended, or were hidden, before `before`, and whose tasks have all ended, the oldest first: what a clean-up by
/// age purges.
std::vector<JobId> ended_before(Read& tx, Instant before, int limit = 100);
/// Jobs that were hidden before `before`, the longest ago first.
std::vector<JobId> deleted_before(Read& tx, Instant before, int limit = 100);

}  // namespace quarry::jobs
