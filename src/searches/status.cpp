#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/searches/search.hpp"
#include "quarry/system/record.hpp"
#include "searches/rules.hpp"

namespace quarry::searches {
namespace {

struct SearchStanding {
  SearchStatus status;
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(SearchStanding, (), (status, user_id))
constexpr sql::Query<SearchStanding(SearchId)> lock_search{
    "searches.lock", sql::sqlite("select status, user_id from searches where id = $1"),
    sql::postgres("select status, user_id from searches where id = $1 for no key update")};

constexpr sql::Query<bool(SearchId)> has_jobs{"searches.has_jobs",
                                              "select exists (select 1 from scraping_jobs where search_id = $1)"};

constexpr sql::Command<void(SearchId, SearchStatus, std::optional<std::string>, std::optional<Instant>, Instant)> set_status{
    "searches.set_status",
    "update searches set status = $2, error_message = $3, completed_at = $4, updated_at = $5 where id = $1"};

constexpr sql::Command<void(SearchId)> delete_search{"searches.purge", "delete from searches where id = $1"};

SearchStanding lock(Write& tx, SearchId id) {
  const auto found = tx.one(lock_search, id);
  if (!found || !tx.actor().sees(found->user_id)) throw_no_search(id);
  return *found;
}

}  // namespace

void change_status(Write& tx, SearchId id, SearchStatus to, const std::optional<std::string>& error) {
  const auto from = lock(tx, id).status;
  if (!may_become(from, to))
    throw Error(ErrorCode::conflict,
                fmt::format("search {} is {}: it cannot become {}", to_string(id), to_string(from), to_string(to)));
  const auto ended = is_open(to) ? std::nullopt : std::optional(tx.now());
  tx.run(set_status, id, to, error, ended, tx.now());
}

bool purge(Write& tx, SearchId id) {
  const auto found = tx.one(lock_search, id);
  if (!found || !tx.actor().sees(found->user_id)) return false;
  if (tx.value(has_jobs, id))
    throw Error(ErrorCode::conflict, fmt::format("search {} still has its jobs: purge them first", to_string(id)));
  if (tx.run(delete_search, id) == 0) return false;
  system::record_owned(tx, "search.purge", "search", id.value, found->user_id);
  return true;
}

}  // namespace quarry::searches
