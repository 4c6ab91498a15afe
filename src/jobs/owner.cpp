#include "jobs/owner.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry::jobs {
namespace {

constexpr sql::Query<UserId(JobId)> find_owner{"jobs.find_owner", "select user_id from scraping_jobs where id = $1"};

}  // namespace

void throw_no_job(JobId job) { throw Error(ErrorCode::not_found, fmt::format("there is no job {}", to_string(job))); }

void require_seen(Read& tx, JobId job) {
  if (tx.actor().sees_all()) return;
  const auto owner = tx.one(find_owner, job);
  if (!owner || !tx.actor().sees(*owner)) throw_no_job(job);
}

}  // namespace quarry::jobs
