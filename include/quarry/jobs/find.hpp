#pragma once
/// Jobs found again: by id, or page by page.

#include <optional>
#include <string>
#include <vector>

#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

/// Nothing when there is none, or it was deleted.
std::optional<Job> find(Read& tx, JobId job);
/// Throws `not_found` and names the id.
Job get(Read& tx, JobId job);

/// Where a page ends, so that the next one can begin there.
struct PageKey {
  Instant created_at;
  JobId id;
};

struct ListFilter {
  std::optional<UserId> user_id{};
  std::optional<JobStatus> status{};
  std::optional<std::string> job_type{};
  std::optional<bool> is_paused{};
  std::optional<PageKey> after{};  ///< of the last job of the page before
  int limit = 50;                  ///< 1 to 1000
};

/// The newest first. Pages stay right while jobs come and go: they go by key, not by number. Throws `invalid` for a limit
/// out of bounds.
std::vector<Job> list(Read& tx, const ListFilter& filter = {});

}  // namespace quarry::jobs
