#pragma once
/// Jobs found again: by id, or page by page. Everything keeps to what the transaction's actor sees.
///
/// Errors: `not_found`, `invalid`, as each function says. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>

#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"
#include "quarry/store/list.hpp"

namespace quarry::jobs {

/// Nothing when there is none, or it was deleted.
std::optional<Job> find(Read& tx, JobId job);
/// Throws `not_found` and names the id.
Job get(Read& tx, JobId job);
/// Whether `find` would find it.
bool exists(Read& tx, JobId job);

/// Which jobs: those that meet every condition that is set.
struct ListFilter {
  std::optional<UserId> user_id{};
  std::optional<JobStatus> status{};
  std::optional<std::string> job_type{};
  std::optional<bool> is_paused{};
  std::optional<SearchId> search_id{};
  std::optional<std::string> keyword{};  ///< one of its keywords, whole
  std::optional<std::string> text{};     ///< stands in the title or the description, without regard to (ASCII) case
  bool deleted = false;                  ///< the deleted ones instead of the others
};

/// None of them moves by itself, so that pages neither lose nor repeat a row; `updated_at` would. Each has an index.
enum class JobOrder { created_at, priority, title };
BOOST_DESCRIBE_ENUM(JobOrder, created_at, priority, title)

struct ListOrder {
  JobOrder by = JobOrder::created_at;
  store::Direction direction = store::Direction::descending;
};

/// The newest first, unless another order is asked for. Throws `invalid` for a limit out of bounds and for a cursor of
/// another order.
Page<Job> list(Read& tx, const ListFilter& filter = {}, const PageRequest& page = {}, const ListOrder& order = {});
/// Its cost grows with the number of matching jobs.
std::int64_t count(Read& tx, const ListFilter& filter = {});

}  // namespace quarry::jobs
