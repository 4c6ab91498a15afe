#include "quarry/searches/results.hpp"

#include <fmt/format.h>

#include <boost/unordered/unordered_flat_set.hpp>
#include <cmath>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "searches/rules.hpp"

namespace quarry::searches {
namespace {

#define QUARRY_RESULT_COLUMNS                                                                                         \
  "id, search_id, user_id, source, title, snippet, url, position, scraped_at, sentiment_score, competitor_mentioned," \
  " keywords"

constexpr std::size_t title_characters_max = 500;
constexpr std::size_t snippet_characters_max = 100'000;
constexpr std::size_t json_bytes_max = 65'536;

struct ResultRow {
  SearchResultId id;
  SearchId search_id;
  UserId user_id;
  std::string_view source;
  std::optional<std::string_view> title;
  std::optional<std::string_view> snippet;
  std::string_view url;
  std::optional<int> position;
  Instant scraped_at;
};
BOOST_DESCRIBE_STRUCT(ResultRow, (), (id, search_id, user_id, source, title, snippet, url, position, scraped_at))
constexpr sql::Table<ResultRow> results_table{"search_results"};

constexpr sql::Query<UserId(SearchId)> lock_owner{
    "searches.lock_owner", sql::sqlite("select user_id from searches where id = $1"),
    sql::postgres("select user_id from searches where id = $1 for no key update")};
constexpr sql::Query<bool(SearchId)> has_results{"searches.has_results",
                                                 "select exists (select 1 from search_results where search_id = $1)"};
constexpr sql::Query<SearchResult(SearchResultId)> find_result_by_id{
    "searches.find_result", "select " QUARRY_RESULT_COLUMNS " from search_results where id = $1"};

constexpr sql::Query<UserId(SearchResultId)> find_result_owner{"searches.find_result_owner",
                                                               "select user_id from search_results where id = $1"};
struct AnalysisRow {
  SearchResultId id;
  std::optional<double> sentiment_score;
  std::optional<Json> competitor_mentioned;
  std::optional<Json> keywords;
  std::optional<UserId> owner;  ///< whose it must be; nothing: anybody's
};
BOOST_DESCRIBE_STRUCT(AnalysisRow, (), (id, sentiment_score, competitor_mentioned, keywords, owner))
constexpr sql::Command<void(AnalysisRow)> write_analysis{
    "searches.analyse",
    sql::sqlite("update search_results set sentiment_score = coalesce($2, sentiment_score),"
                " competitor_mentioned = coalesce($3, competitor_mentioned), keywords = coalesce($4, keywords)"
                " where id = $1 and ($5 is null or user_id = $5)"),
    sql::postgres("update search_results set sentiment_score = coalesce($2, sentiment_score),"
                  " competitor_mentioned = coalesce($3, competitor_mentioned), keywords = coalesce($4, keywords)"
                  " where id = $1 and ($5::uuid is null or user_id = $5)")};

constexpr store::ListOf<SearchResult> all_results{"searches.list_results", QUARRY_RESULT_COLUMNS, "search_results"};
/// Behind every position that there is, as in the column `place`.
constexpr std::int64_t without_position = INT32_MAX;
store::Order<SearchResult> by_position() {
  return {"position", "place",
          [](const SearchResult& row) { return store::key(row.position ? std::int64_t{*row.position} : without_position); }};
}

struct WantedResults {
  std::string pattern;
  store::Conditions where;

  WantedResults(Read& tx, const SearchId& search, const ResultFilter& filter) {
    const bool is_sqlite = tx.engine() == Engine::sqlite;
    where.add("search_id = {}", search);
    where.owned(tx.actor(), "user_id");
    if (filter.source) where.add("source = {}", *filter.source);
    if (filter.analysed_only) where.add("sentiment_score is not null");
    if (filter.text) {
      pattern = store::like_anywhere(*filter.text);
      where.add(is_sqlite ? "(title like {0} escape '\\' or snippet like {0} escape '\\')"
                          : "(title collate \"C\" ilike {0} escape '\\' or snippet collate \"C\" ilike {0} escape '\\')",
                pattern);
    }
  }
  WantedResults(const WantedResults&) = delete;
  WantedResults& operator=(const WantedResults&) = delete;
};

void check(const NewResult& result) {
  store::check_text("a result's source", result.source, 1, 50);
  store::check_text("a result's url", result.url, 1, 1000);
  if (result.title) store::check_text("a result's title", *result.title, 0, SIZE_MAX);
  if (result.snippet) store::check_text("a result's snippet", *result.snippet, 0, snippet_characters_max);
  if (result.position && *result.position < 0)
    throw_invalid(fmt::format("position {}: a result's position counts from 0 or 1 up", *result.position));
}

std::optional<std::string_view> first_characters(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return store::first_characters(*text, title_characters_max);
}

}  // namespace

std::int64_t add_results(Write& tx, SearchId search, std::span<const NewResult> results) {
  const auto owner = tx.one(lock_owner, search);
  if (!owner || !tx.actor().sees(*owner)) throw_no_search(search);
  // On PostgreSQL rows without conflicts go in faster, by COPY. Those of a search that has none yet can only be each other's
  // duplicates; the search is locked, so that nobody else puts in any meanwhile.
  const bool is_first = tx.engine() == Engine::postgres && !tx.value(has_results, search);
  boost::unordered_flat_set<std::pair<std::string_view, std::string_view>> seen;
  std::vector<ResultRow> rows;
  rows.reserve(results.size());
  for (const auto& result : results) {
    check(result);
    if (is_first && !seen.emplace(result.source, result.url).second) continue;
    rows.push_back({tx.new_id<SearchResultId>(), search, *owner, result.source, first_characters(result.title),
                    result.snippet, result.url, result.position, tx.now()});
  }
  return tx.insert_all(results_table, rows, is_first ? sql::OnConflict::fail : sql::OnConflict::nothing);
}

std::optional<SearchResult> find_result(Read& tx, SearchResultId id) {
  auto found = tx.one(find_result_by_id, id);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

Page<SearchResult> list_results(Read& tx, SearchId search, const ResultFilter& filter, const PageRequest& page) {
  if (!exists(tx, search)) throw_no_search(search);
  const WantedResults wanted(tx, search, filter);
  return store::list(tx, all_results, by_position(), store::Direction::ascending, wanted.where, page);
}

std::int64_t count_results(Read& tx, SearchId search, const ResultFilter& filter) {
  if (!exists(tx, search)) throw_no_search(search);
  const WantedResults wanted(tx, search, filter);
  return store::count(tx, all_results, wanted.where);
}

void analyse(Write& tx, std::span<const Analysis> analyses) {
  const auto owner = tx.actor().only();
  std::vector<AnalysisRow> rows;
  rows.reserve(analyses.size());
  for (const auto& analysis : analyses) {
    if (analysis.sentiment_score && !std::isfinite(*analysis.sentiment_score))
      throw_invalid("a sentiment score is not a finite number");
    if (analysis.competitor_mentioned)
      store::check_json("competitor_mentioned", analysis.competitor_mentioned->text, json_bytes_max);
    if (analysis.keywords) store::check_json("keywords", analysis.keywords->text, json_bytes_max);
    rows.push_back({analysis.id, analysis.sentiment_score, analysis.competitor_mentioned, analysis.keywords, owner});
  }
  // All or nothing, also for a caller who goes on after the error.
  tx.attempt([&] {
    if (tx.run_each(write_analysis, rows) == std::ssize(rows)) return;
    for (const auto& row : rows)
      if (const auto whose = tx.one(find_result_owner, row.id); !whose || !tx.actor().sees(*whose))
        throw Error(ErrorCode::not_found, fmt::format("there is no result {}", to_string(row.id)));
  });
}

}  // namespace quarry::searches
