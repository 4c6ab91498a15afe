#pragma once
/// Jobs: what a user asked for. A job is the unit of submission, progress, cancellation and cost; its work is the tasks of
/// the queue that carry its id.
///
///     pending ──first claim──► running ──last task ended──► completed, or failed when every task failed
///        │                        │                            │
///        └──────── cancel ────────┴──► cancelled               └── retry ──► running
///
/// The queue keeps the figures: the transaction that adds, ends or retries a task changes `total_items`, `open_tasks`,
/// `processed_items` and `failed_items` too, starts the job with its first claim and ends it with its last task. This store
/// does the rest.
///
/// Errors: none. Thread safety: values and pure functions.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/codec.hpp"

namespace quarry::jobs {

enum class JobStatus { pending, running, completed, failed, cancelled };
BOOST_DESCRIBE_ENUM(JobStatus, pending, running, completed, failed, cancelled)

/// The name, as it is stored.
std::string_view to_string(JobStatus status) noexcept;

/// Whether the job may still do work by itself.
constexpr bool is_open(JobStatus status) { return status == JobStatus::pending || status == JobStatus::running; }

/// The state machine, as a table. A state may not be left for itself.
bool may_become(JobStatus from, JobStatus to) noexcept;

/// A job as it is stored.
struct Job {
  JobId id;
  UserId user_id;
  std::string job_type;
  std::string title;
  std::optional<std::string> description;
  std::vector<std::string> keywords;
  std::optional<std::vector<std::string>> expanded_keywords;  ///< what was made of them: synonyms, translations
  Json config;
  int schema_version = 1;  ///< of `config`
  JobStatus status = JobStatus::pending;
  int priority = 5;  ///< 1 (highest) to 10
  int progress = 0;  ///< percent of the items known so far
  int attempt = 1;   ///< its runs: one more with each retry of a job that had ended
  std::int64_t total_items = 0;
  std::int64_t processed_items = 0;  ///< completed
  std::int64_t failed_items = 0;     ///< failed or dead
  std::int64_t results_count = 0;
  std::int64_t open_tasks = 0;  ///< tasks that have not ended
  std::int64_t bytes_fetched = 0;
  std::optional<JobId> depends_on_job_id;
  std::optional<SearchId> search_id;
  std::optional<std::string> scraper_name;
  std::optional<std::string> error_message;
  std::optional<Instant> cancel_requested_at;
  bool is_paused = false;
  std::optional<Instant> scheduled_at;
  std::optional<Instant> started_at;
  std::optional<Instant> completed_at;  ///< ended, in whatever way
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(Job, (),
                      (id, user_id, job_type, title, description, keywords, expanded_keywords, config, schema_version,
                       status, priority, progress, attempt, total_items, processed_items, failed_items, results_count,
                       open_tasks, bytes_fetched, depends_on_job_id, search_id, scraper_name, error_message,
                       cancel_requested_at, is_paused, scheduled_at, started_at, completed_at, created_at, updated_at))

}  // namespace quarry::jobs
