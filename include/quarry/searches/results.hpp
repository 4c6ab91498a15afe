#pragma once
/// What the sources of a search answered, and what an analysis found in it afterwards.
///
/// Errors: `not_found` (no such search or result for this actor), `invalid` (a field, a limit or a cursor out of bounds).
/// Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/searches/search.hpp"

namespace quarry::searches {

using SearchResultId = Id<struct SearchResultTag>;

struct SearchResult {
  SearchResultId id;
  SearchId search_id;
  UserId user_id;
  std::string source;
  std::optional<std::string> title;
  std::optional<std::string> snippet;
  std::string url;
  std::optional<int> position;  ///< the source's ranking, from 1
  Instant scraped_at;
  std::optional<double> sentiment_score;
  std::optional<Json> competitor_mentioned;
  std::optional<Json> keywords;
};
BOOST_DESCRIBE_STRUCT(SearchResult, (),
                      (id, search_id, user_id, source, title, snippet, url, position, scraped_at, sentiment_score,
                       competitor_mentioned, keywords))

struct NewResult {
  std::string source{};                ///< 1 to 50 characters
  std::optional<std::string> title{};  ///< the first 500 characters are kept
  std::optional<std::string> snippet{};
  std::string url{};              ///< 1 to 1000 characters
  std::optional<int> position{};  ///< 0 or more
};

/// Puts in what is not there yet: a page stands once per search and source, at the place where it was first found. Returns
/// how many were new. In bulk; 100,000 at once are fine.
std::int64_t add_results(Write& tx, SearchId search, std::span<const NewResult> results);

/// Nothing when there is none, or the actor does not see it.
std::optional<SearchResult> find_result(Read& tx, SearchResultId id);

struct ResultFilter {
  std::optional<std::string> source{};
  std::optional<std::string> text{};  ///< stands in the title or the snippet, without regard to (ASCII) case
  bool analysed_only = false;         ///< with a sentiment score
};
/// By position; those without one come last.
Page<SearchResult> list_results(Read& tx, SearchId search, const ResultFilter& filter = {}, const PageRequest& page = {});
/// How many there are. Its cost grows with their number.
std::int64_t count_results(Read& tx, SearchId search, const ResultFilter& filter = {});

/// What is set is written; the rest stays.
struct Analysis {
  SearchResultId id{};
  std::optional<double> sentiment_score{};  ///< finite; by convention from -1 to 1
  std::optional<Json> competitor_mentioned{};
  std::optional<Json> keywords{};
};
/// Many at once. Throws `not_found` for a result that is not there, and writes none then.
void analyse(Write& tx, std::span<const Analysis> analyses);

}  // namespace quarry::searches
