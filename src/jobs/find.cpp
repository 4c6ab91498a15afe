#include "quarry/jobs/find.hpp"

#include <fmt/format.h>

#include "jobs/columns.hpp"
#include "quarry/core/error.hpp"

namespace quarry::jobs {
namespace {

constexpr sql::Query<Job(JobId)> find_by_id{
    "jobs.find", "select " QUARRY_JOB_COLUMNS " from scraping_jobs where id = $1 and deleted_at is null"};

constexpr store::ListOf<Job> all_jobs{"jobs.list", QUARRY_JOB_COLUMNS, "scraping_jobs"};

store::Order<Job> order_of(JobOrder by, Engine engine) {
  switch (by) {
    case JobOrder::priority:
      return {"priority", "priority", [](const Job& job) { return store::key(std::int64_t{job.priority}); }};
    case JobOrder::title:
      return {"title", engine == Engine::postgres ? "title collate \"C\"" : "title",
              [](const Job& job) { return store::key(job.title); }};
    case JobOrder::created_at:
      break;
  }
  return {"created_at", "created_at", [](const Job& job) { return store::key(job.created_at); }};
}

/// The filter as a WHERE clause. Owns the pattern that the clause refers to.
struct Wanted {
  std::string pattern;
  store::Conditions where;

  Wanted(Read& tx, const ListFilter& filter) : where(filter.deleted ? "deleted_at is not null" : "deleted_at is null") {
    const bool is_sqlite = tx.engine() == Engine::sqlite;
    where.owned(tx.actor(), "user_id");
    if (filter.user_id) where.add("user_id = {}", *filter.user_id);
    if (filter.status) where.add("status = {}", *filter.status);
    if (filter.job_type) where.add("job_type = {}", *filter.job_type);
    if (filter.is_paused) where.add("is_paused = {}", *filter.is_paused);
    if (filter.search_id) where.add("search_id = {}", *filter.search_id);
    if (filter.keyword)
      where.add(is_sqlite ? "exists (select 1 from json_each(keywords) where value = {})" : "{} = any(keywords)",
                *filter.keyword);
    if (filter.text) {
      pattern = store::like_anywhere(*filter.text);
      // SQLite's LIKE folds ASCII and nothing else; in the "C" collation so does PostgreSQL's ILIKE.
      where.add(is_sqlite ? "(title like {0} escape '\\' or description like {0} escape '\\')"
                          : "(title collate \"C\" ilike {0} escape '\\' or description collate \"C\" ilike {0} escape '\\')",
                pattern);
    }
  }
  Wanted(const Wanted&) = delete;
  Wanted& operator=(const Wanted&) = delete;
};

}  // namespace

std::optional<Job> find(Read& tx, JobId job) {
  auto found = tx.one(find_by_id, job);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

Job get(Read& tx, JobId job) {
  if (auto found = find(tx, job)) return *std::move(found);
  throw Error(ErrorCode::not_found, fmt::format("there is no job {}", to_string(job)));
}

bool exists(Read& tx, JobId job) { return find(tx, job).has_value(); }

Page<Job> list(Read& tx, const ListFilter& filter, const PageRequest& page, const ListOrder& order) {
  const Wanted wanted(tx, filter);
  return store::list(tx, all_jobs, order_of(order.by, tx.engine()), order.direction, wanted.where, page);
}

std::int64_t count(Read& tx, const ListFilter& filter) {
  const Wanted wanted(tx, filter);
  return store::count(tx, all_jobs, wanted.where);
}

}  // namespace quarry::jobs
