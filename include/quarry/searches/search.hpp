#pragma once
/// Searches: one question asked of several sources. Each source is asked by a scraping job that carries the search's id and
/// the source's name; what they answer are the search's results (`results.hpp`).
///
///     pending ──► processing ──► completed, or failed when every source failed
///        └────────────┴──► cancelled
///
///     completed, failed ── one of its jobs is tried again ──► processing
///
/// Nobody moves a search with its jobs but the schema: a trigger does it in the transaction that starts, ends or retries one
/// of them, whoever that is (`scraping_jobs_move_their_search`).
///
/// `quarry/crawl/search_run.hpp` starts one and has the worker do the asking. Here are its rows, in the caller's transaction
/// and for what its actor sees. Errors: `invalid` (a field out of bounds, a cursor of elsewhere), `not_found`, `conflict`.
/// Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/transaction.hpp"
#include "quarry/store/list.hpp"

namespace quarry::searches {

enum class SearchStatus { pending, processing, completed, failed, cancelled };
BOOST_DESCRIBE_ENUM(SearchStatus, pending, processing, completed, failed, cancelled)

/// The name, as it is stored.
std::string_view to_string(SearchStatus status) noexcept;
/// Whether the search may still get results by itself.
constexpr bool is_open(SearchStatus status) { return status == SearchStatus::pending || status == SearchStatus::processing; }
/// The state machine, as a table. A state may not be left for itself.
bool may_become(SearchStatus from, SearchStatus to) noexcept;

struct Search {
  SearchId id;
  UserId user_id;
  std::string query;
  SearchStatus status = SearchStatus::pending;
  std::vector<std::string> sources;
  std::optional<std::string> error_message;
  Instant created_at;
  Instant updated_at;
  std::optional<Instant> completed_at;  ///< ended, in whatever way
};
BOOST_DESCRIBE_STRUCT(Search, (), (id, user_id, query, status, sources, error_message, created_at, updated_at, completed_at))

struct NewSearch {
  UserId user_id{};
  std::string query{};                 ///< 1 to 500 characters; white space at the ends and in rows is made one space
  std::vector<std::string> sources{};  ///< 1 to 50 names of 1 to 50 characters, each once
};
/// The row alone, without jobs.
Search create(Write& tx, const NewSearch& search);

/// Nothing when there is none, or the actor does not see it.
std::optional<Search> find(Read& tx, SearchId id);
/// Throws `not_found`.
Search get(Read& tx, SearchId id);
/// Whether `find` would find it.
bool exists(Read& tx, SearchId id);

/// The newest search of the user for the same question and the same sources, in any order, that was completed within
/// `max_age`: an answer that is still fresh.
std::optional<Search> find_fresh(Read& tx, const NewSearch& search, std::chrono::microseconds max_age);

struct SearchFilter {
  std::optional<UserId> user_id{};
  std::optional<SearchStatus> status{};
  std::optional<std::string> source{};  ///< one that was asked
  std::optional<std::string> text{};    ///< stands in the query, without regard to (ASCII) case
};
/// None of them moves by itself, so that pages neither lose nor repeat a row. Each has an index.
enum class SearchOrder { created_at, query };
BOOST_DESCRIBE_ENUM(SearchOrder, created_at, query)
struct SearchListOrder {
  SearchOrder by = SearchOrder::created_at;
  store::Direction direction = store::Direction::descending;
};
/// The newest first, unless another order is asked for.
Page<Search> list(Read& tx, const SearchFilter& filter = {}, const PageRequest& page = {},
                  const SearchListOrder& order = {});
/// How many there are. Its cost grows with their number.
std::int64_t count(Read& tx, const SearchFilter& filter = {});

/// By hand. Throws `conflict` for a move that the state machine does not have. One that is cancelled here stays so, whatever
/// becomes of its jobs.
void change_status(Write& tx, SearchId id, SearchStatus to, const std::optional<std::string>& error = {});

/// With its results. Its jobs must have ended and been purged: with jobs it is a `conflict`. False when there was none.
bool purge(Write& tx, SearchId id);

}  // namespace quarry::searches
