#pragma once
/// Full-text search over titles, descriptions and texts of artifacts, best first; the same language on both engines:
///
///     lithium battery          both words, in any form English gives them (battery, batteries)
///     "solid state"            these words, side by side
///     lithium -sodium          not the second one; also -"two words"
///     lithium OR sodium        either; binds weaker than words side by side
///     lith*                    words that begin so
///
/// Everything else in a query is a separator, so no query is a syntax error. Words too common to tell pages apart (the, and,
/// of, ...: PostgreSQL's list) are left out of it, but for those inside quotes.
///
/// A word in the title weighs eight times one in the text, in the description three times: BM25 (SQLite's FTS5) or cover
/// density divided by the logarithm of the length (PostgreSQL's ts_rank_cd). Scores compare within one answer of one engine
/// only.
///
/// Errors: `invalid` for a query with nothing to look for, with more than 50 terms or 1000 bytes, and for a cursor that is
/// not one, or that of another query. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::artifacts {

struct SearchRequest {
  std::string query{};
  std::optional<UserId> user_id{};
  std::optional<JobId> job_id{};
  int limit = 10;                       ///< 1 to 100
  std::optional<std::string> cursor{};  ///< `SearchPage::next` of the page before
  std::string mark_begin = "«";         ///< around each word that was found, in snippets
  std::string mark_end = "»";
};

struct SearchHit {
  ArtifactId id;
  UserId user_id;
  std::optional<JobId> job_id;
  std::optional<std::string> source_url;
  std::optional<std::string> title;
  double score = 0;     ///< greater is better
  std::string snippet;  ///< about 24 words of the text, on one line; its beginning when only the title or the description
                        ///< has the words
};
BOOST_DESCRIBE_STRUCT(SearchHit, (), (id, user_id, job_id, source_url, title, score, snippet))

struct SearchPage {
  std::vector<SearchHit> items;
  std::optional<std::string> next;  ///< nothing when this was the last page
};

/// Deleted artifacts are never found.
SearchPage search(Read& tx, const SearchRequest& request);

}  // namespace quarry::artifacts
