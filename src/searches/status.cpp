#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/searches/search.hpp"
#include "searches/rules.hpp"

namespace quarry::searches {
namespace {

struct SearchStanding {
  SearchStatus status;
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(SearchStanding, (), (status, user_id))
/// Locked, so that of two jobs that end at once the second one sees the first.
constexpr sql::Query<SearchStanding(SearchId)> lock_search{
    "searches.lock", sql::sqlite("select status, user_id from searches where id = $1"),
    sql::postgres("select status, user_id from searches where id = $1 for no key update")};

struct JobsOfSearch {
  std::int64_t open;
  std::int64_t begun;
  std::int64_t completed;
  std::int64_t cancelled;
  std::int64_t total;
};
BOOST_DESCRIBE_STRUCT(JobsOfSearch, (), (open, begun, completed, cancelled, total))
constexpr sql::Query<JobsOfSearch(SearchId)> sum_jobs{
    "searches.sum_jobs",
    "select count(case when status = 'pending' or status = 'running' then 1 end) as open,"
    " count(case when status <> 'pending' then 1 end) as begun, count(case when status = 'completed' then 1 end) as "
    "completed,"
    " count(case when status = 'cancelled' then 1 end) as cancelled, count(*) as total"
    " from scraping_jobs where search_id = $1"};

constexpr sql::Command<void(SearchId, SearchStatus, std::optional<std::string>, std::optional<Instant>, Instant)> set_status{
    "searches.set_status",
    "update searches set status = $2, error_message = $3, completed_at = $4, updated_at = $5 where id = $1"};

constexpr sql::Query<SearchId(int)> find_forgotten{
    "searches.find_forgotten",
    "select s.id from searches s where (s.status = 'pending' or s.status = 'processing')"
    " and exists (select 1 from scraping_jobs j where j.search_id = s.id)"
    " and not exists (select 1 from scraping_jobs j where j.search_id = s.id and (j.status = 'pending' or j.status = "
    "'running'))"
    " order by s.id limit $1"};

constexpr sql::Command<void(SearchId)> delete_search{"searches.purge", "delete from searches where id = $1"};

SearchStanding lock(Write& tx, SearchId id) {
  const auto found = tx.one(lock_search, id);
  if (!found || !tx.actor().sees(found->user_id)) throw_no_search(id);
  return *found;
}

void write_status(Write& tx, SearchId id, SearchStatus to, const std::optional<std::string>& error) {
  const auto ended = is_open(to) ? std::nullopt : std::optional(tx.now());
  tx.run(set_status, id, to, error, ended, tx.now());
}

SearchStatus status_by(const JobsOfSearch& jobs) {
  if (jobs.open > 0) return jobs.begun > 0 ? SearchStatus::processing : SearchStatus::pending;
  if (jobs.completed > 0) return SearchStatus::completed;
  return jobs.cancelled == jobs.total ? SearchStatus::cancelled : SearchStatus::failed;
}

}  // namespace

void change_status(Write& tx, SearchId id, SearchStatus to, const std::optional<std::string>& error) {
  const auto from = lock(tx, id).status;
  if (!may_become(from, to))
    throw Error(ErrorCode::conflict,
                fmt::format("search {} is {}: it cannot become {}", to_string(id), to_string(from), to_string(to)));
  write_status(tx, id, to, error);
}

SearchStatus settle(Write& tx, SearchId id) {
  const auto from = lock(tx, id).status;
  const auto jobs = tx.value(sum_jobs, id);
  if (jobs.total == 0) return from;
  const auto to = status_by(jobs);
  if (to == from || !may_become(from, to)) return from;
  std::optional<std::string> error;
  if (to == SearchStatus::failed) error = "no source could be asked: see the logs of its jobs";
  write_status(tx, id, to, error);
  return to;
}

std::vector<SearchId> forgotten(Read& tx, int limit) { return tx.all(find_forgotten, limit); }

bool purge(Write& tx, SearchId id) {
  const auto found = tx.one(lock_search, id);
  if (!found || !tx.actor().sees(found->user_id)) return false;
  if (tx.value(sum_jobs, id).total > 0)
    throw Error(ErrorCode::conflict, fmt::format("search {} still has its jobs: purge them first", to_string(id)));
  return tx.run(delete_search, id) > 0;
}

}  // namespace quarry::searches
