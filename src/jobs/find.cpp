#include "quarry/jobs/find.hpp"

#include <fmt/format.h>

#include "jobs/columns.hpp"
#include "quarry/core/error.hpp"

namespace quarry::jobs {
namespace {

constexpr sql::Query<Job(JobId)> find_by_id{
    "jobs.find", "select " QUARRY_JOB_COLUMNS " from scraping_jobs where id = $1 and deleted_at is null"};

/// Conditions and their parameters, numbered as they come.
class Conditions {
 public:
  template <class T>
  void add(std::string_view condition, const T& value) {
    params_.push_back(sql::Codec<T>::to_param(value));
    text_ += fmt::format(fmt::runtime(condition), fmt::format("${}", params_.size()));
  }
  template <class A, class B>
  void add(std::string_view condition, const A& first, const B& second) {
    params_.push_back(sql::Codec<A>::to_param(first));
    params_.push_back(sql::Codec<B>::to_param(second));
    text_ +=
        fmt::format(fmt::runtime(condition), fmt::format("${}", params_.size() - 1), fmt::format("${}", params_.size()));
  }
  const std::string& text() const { return text_; }
  const std::vector<sql::Param>& params() const { return params_; }

 private:
  std::string text_;
  std::vector<sql::Param> params_;
};

}  // namespace

std::optional<Job> find(Read& tx, JobId job) { return tx.one(find_by_id, job); }

Job get(Read& tx, JobId job) {
  if (auto found = find(tx, job)) return *std::move(found);
  throw Error(ErrorCode::not_found, fmt::format("there is no job {}", to_string(job)));
}

std::vector<Job> list(Read& tx, const ListFilter& filter) {
  if (filter.limit < 1 || filter.limit > 1000)
    throw_invalid(fmt::format("limit {}: it must be from 1 to 1000", filter.limit));
  Conditions where;
  if (filter.user_id) where.add(" and user_id = {}", *filter.user_id);
  if (filter.status) where.add(" and status = {}", *filter.status);
  if (filter.job_type) where.add(" and job_type = {}", *filter.job_type);
  if (filter.is_paused) where.add(" and is_paused = {}", *filter.is_paused);
  if (filter.after) where.add(" and (created_at, id) < ({}, {})", filter.after->created_at, filter.after->id);
  where.add(" order by created_at desc, id desc limit {}", filter.limit);

  const std::string text = "select " QUARRY_JOB_COLUMNS " from scraping_jobs where deleted_at is null" + where.text();
  const sql::Statement statement{"jobs.list", text, text, false};
  try {
    sql::OpenCursor cursor(tx.session().execute(statement, where.params()));
    std::vector<Job> jobs;
    while (cursor->step()) jobs.push_back(sql::read_row<Job>(*cursor));
    return jobs;
  } catch (Error& error) {
    error.add_query(statement.name);
    throw;
  }
}

}  // namespace quarry::jobs
