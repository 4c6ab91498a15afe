#include "quarry/searches/search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "searches/rules.hpp"

namespace quarry::searches {
namespace {

#define QUARRY_SEARCH_COLUMNS "id, user_id, query, status, sources, error_message, created_at, updated_at, completed_at"

struct SearchRow {
  SearchId id;
  UserId user_id;
  std::string_view query;
  std::vector<std::string> sources;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(SearchRow, (), (id, user_id, query, sources, created_at))

constexpr sql::Command<void(SearchRow)> insert_search{
    "searches.insert",
    "insert into searches (id, user_id, query, sources, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)"};
constexpr sql::Query<UserId(UserId)> find_owner{"searches.find_user",
                                                "select id from users where id = $1 and deleted_at is null"};
constexpr sql::Query<Search(SearchId)> find_by_id{"searches.find",
                                                  "select " QUARRY_SEARCH_COLUMNS " from searches where id = $1"};
/// Sources are stored in one order, so that equal sets are equal arrays.
constexpr sql::Query<Search(UserId, std::string_view, std::vector<std::string>, Instant)> find_answer{
    "searches.find_fresh", "select " QUARRY_SEARCH_COLUMNS
                           " from searches where user_id = $1 and query = $2 and status = 'completed' and completed_at >= $4"
                           " and sources = $3 order by completed_at desc limit 1"};

constexpr store::ListOf<Search> all_searches{"searches.list", QUARRY_SEARCH_COLUMNS, "searches"};

store::Order<Search> order_of(SearchOrder by, Engine engine) {
  switch (by) {
    case SearchOrder::query:
      return {"query", engine == Engine::postgres ? "query collate \"C\"" : "query",
              [](const Search& search) { return store::key(search.query); }};
    case SearchOrder::created_at:
      break;
  }
  return {"created_at", "created_at", [](const Search& search) { return store::key(search.created_at); }};
}

/// The filter as a WHERE clause. Owns the pattern that the clause refers to.
struct WantedSearches {
  std::string pattern;
  store::Conditions where;

  WantedSearches(Read& tx, const SearchFilter& filter) {
    const bool is_sqlite = tx.engine() == Engine::sqlite;
    where.owned(tx.actor(), "user_id");
    if (filter.user_id) where.add("user_id = {}", *filter.user_id);
    if (filter.status) where.add("status = {}", *filter.status);
    if (filter.source)
      where.add(is_sqlite ? "exists (select 1 from json_each(sources) where value = {})" : "{} = any(sources)",
                *filter.source);
    if (filter.text) {
      pattern = store::like_anywhere(*filter.text);
      where.add(is_sqlite ? "query like {} escape '\\'" : "query collate \"C\" ilike {} escape '\\'", pattern);
    }
  }
  WantedSearches(const WantedSearches&) = delete;
  WantedSearches& operator=(const WantedSearches&) = delete;
};

}  // namespace

std::string_view to_string(SearchStatus status) noexcept { return boost::describe::enum_to_string(status, "unknown"); }

bool may_become(SearchStatus from, SearchStatus to) noexcept {
  switch (from) {
    case SearchStatus::pending:
      return to != SearchStatus::pending;
    case SearchStatus::processing:
      return to == SearchStatus::completed || to == SearchStatus::failed || to == SearchStatus::cancelled;
    case SearchStatus::completed:
    case SearchStatus::failed:
      return to == SearchStatus::processing;  // one of its jobs is retried
    case SearchStatus::cancelled:
      return false;
  }
  return false;
}

Search create(Write& tx, const NewSearch& search) {
  const auto query = normal_query(search.query);
  const auto sources = normal_sources(search.sources);
  if (!tx.actor().sees(search.user_id) || !tx.one(find_owner, search.user_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(search.user_id)));
  const auto id = tx.new_id<SearchId>();
  tx.run(insert_search, {id, search.user_id, query, sources, tx.now()});
  return get(tx, id);
}

std::optional<Search> find(Read& tx, SearchId id) {
  auto found = tx.one(find_by_id, id);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

Search get(Read& tx, SearchId id) {
  if (auto found = find(tx, id)) return *std::move(found);
  throw_no_search(id);
}

bool exists(Read& tx, SearchId id) { return find(tx, id).has_value(); }

std::optional<Search> find_fresh(Read& tx, const NewSearch& search, std::chrono::microseconds max_age) {
  if (!tx.actor().sees(search.user_id)) return std::nullopt;
  return tx.one(find_answer, search.user_id, normal_query(search.query), normal_sources(search.sources), tx.now() - max_age);
}

Page<Search> list(Read& tx, const SearchFilter& filter, const PageRequest& page, const SearchListOrder& order) {
  const WantedSearches wanted(tx, filter);
  return store::list(tx, all_searches, order_of(order.by, tx.engine()), order.direction, wanted.where, page);
}

std::int64_t count(Read& tx, const SearchFilter& filter) {
  const WantedSearches wanted(tx, filter);
  return store::count(tx, all_searches, wanted.where);
}

}  // namespace quarry::searches
