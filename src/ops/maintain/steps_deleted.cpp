/// What was deleted so that it could be brought back, and now cannot any more.

#include "ops/maintain/steps.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/ops/purge_user.hpp"

namespace quarry::ops::upkeep {
namespace {

constexpr sql::Query<std::int64_t(Instant)> count_deleted_jobs{
    "maintain.count_deleted_jobs", "select count(*) from scraping_jobs where deleted_at < $1 and open_tasks = 0"};
constexpr sql::Query<std::int64_t(Instant)> count_deleted_artifacts{"maintain.count_deleted_artifacts",
                                                                    "select count(*) from artifacts where deleted_at < $1"};
constexpr sql::Query<std::int64_t(Instant)> count_deleted_users{"maintain.count_deleted_users",
                                                                "select count(*) from users where deleted_at < $1"};

constexpr int users_at_once = 100;

/// False when they stay for now.
bool purge_whole_user(Step& step, UserId user) {
  UserPurgeOptions options{.rows_per_transaction = step.rows()};
  auto begin = std::chrono::steady_clock::now();
  options.progress = [&](const UserPurge&) {
    step.rest(begin);
    begin = std::chrono::steady_clock::now();
  };
  try {
    const auto purge = purge_user(step.db(), user, options);
    step.count("jobs", purge.jobs);
    step.count("artifacts", purge.artifacts);
    if (!purge.done) step.count("users with running tasks", 1);
    return purge.done;
  } catch (const Error& error) {
    // Brought back, or purged by somebody else.
    if (error.code() == ErrorCode::conflict || error.code() == ErrorCode::not_found) return false;
    throw;
  }
}

}  // namespace

void purge_deleted_jobs(Step& step) {
  const auto before = step.days_ago("maintain.deleted_days");
  if (!before) return;
  if (step.dry_run()) return step.count("jobs", step.look(count_deleted_jobs, *before));
  purge_found_jobs(step, *before, jobs::deleted_before);
}

void purge_deleted_artifacts(Step& step) {
  const auto before = step.days_ago("maintain.deleted_days");
  if (!before) return;
  if (step.dry_run()) return step.count("artifacts", step.look(count_deleted_artifacts, *before));
  step.in_batches("artifacts", [&](Write& tx) { return artifacts::purge_deleted(tx, *before, step.rows()); });
}

void purge_deleted_users(Step& step) {
  const auto before = step.days_ago("maintain.deleted_days");
  if (!before) return;
  if (step.dry_run()) return step.count("users", step.look(count_deleted_users, *before));
  while (true) {
    const auto found = step.db().read([&](Read& tx) { return users_deleted_before(tx, *before, users_at_once); });
    std::int64_t purged = 0;
    for (const auto user : found) purged += purge_whole_user(step, user) ? 1 : 0;
    step.count("users", purged);
    if (purged == 0 || std::cmp_less(found.size(), users_at_once)) return;
  }
}

}  // namespace quarry::ops::upkeep
