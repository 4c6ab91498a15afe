#pragma once
/// New jobs, and the tasks that are their work.
///
///     db.write([&](Write& tx) {
///       const auto job = jobs::submit(tx, {.user_id = user, .title = "Lithium papers", .config = {R"({"targetUrl":
///       ...})"}}); jobs::add_tasks(tx, job.id, queue::open_queue(tx, "crawl"), tasks);
///     });
///
/// Errors: `invalid`, `not_found`, `conflict`, as each function says. Thread safety: that of the transaction.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/jobs/job.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

struct NewJob {
  UserId user_id{};
  std::string job_type = "crawl";  ///< 1 to 50 characters
  std::string title{};             ///< 1 to 255 characters
  std::optional<std::string> description{};
  std::vector<std::string> keywords{};                          ///< at most 100, of 1 to 100 characters
  std::optional<std::vector<std::string>> expanded_keywords{};  ///< likewise
  Json config{"{}"};                                            ///< a JSON object of at most 1 MiB
  int schema_version = 1;                                       ///< of `config`
  int priority = queue::priority_default;                       ///< 1 (highest) to 10
  std::optional<Instant> scheduled_at{};                        ///< for people; tasks carry their own time
  std::optional<JobId> depends_on_job_id{};  ///< its tasks wait until that one, of the same user, has ended
  std::optional<SearchId> search_id{};
  std::optional<std::string> scraper_name{};
  /// How many open jobs the user may have, this one included: one more is a `conflict`. Nothing: any number.
  std::optional<int> open_jobs_max{};
};

/// Throws `invalid`, naming the field and its bounds, or `not_found` for a user or a job to depend on that is not there,
/// or that the actor does not see.
Job submit(Write& tx, const NewJob& job);

/// Puts in tasks of a job, with the job's priority unless they have one of their own that is not the default, and as its
/// state wants it: blocked while the job depends on one that has not ended, paused while the job is, and cancelled at once
/// when it was cancelled meanwhile (a page in flight that found more links). Throws `not_found` for an unknown job, and
/// `conflict` for one that has completed or failed.
queue::Enqueued add_tasks(Write& tx, JobId job, queue::QueueId queue, std::span<const queue::NewTask> tasks);

/// What a finished piece of work adds to its job's figures, beside the items that the queue counts.
struct Gain {
  std::int64_t results = 0;
  std::int64_t bytes = 0;
};
/// Adds it; a job that is not there is passed over.
void add_gain(Write& tx, JobId job, const Gain& gain);

}  // namespace quarry::jobs
