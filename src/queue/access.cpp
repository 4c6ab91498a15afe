#include "queue/access.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<std::optional<UserId>(TaskId)> owner_of_task{"queue.owner_of_task",
                                                                  "select user_id from task_queue where id = $1"};
constexpr sql::Query<UserId(JobId)> owner_of_job{"queue.owner_of_job", "select user_id from scraping_jobs where id = $1"};

}  // namespace

bool sees_task(Read& tx, TaskId task) {
  if (tx.actor().sees_all()) return true;
  const auto owner = tx.one(owner_of_task, task);
  return owner && *owner && tx.actor().sees(**owner);
}

bool sees_job(Read& tx, JobId job) {
  if (tx.actor().sees_all()) return true;
  const auto owner = tx.one(owner_of_job, job);
  return owner && tx.actor().sees(*owner);
}

void require_sees_all(const Read& tx, std::string_view what) {
  if (!tx.actor().sees_all())
    throw Error(ErrorCode::denied, fmt::format("{} concerns everybody's work: only administrators may do it", what));
}

void check_list_limit(int limit) {
  if (limit < 1 || limit > 10'000) throw_invalid(fmt::format("limit {}: it must be from 1 to 10000", limit));
}

}  // namespace quarry::queue
