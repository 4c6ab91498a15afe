#pragma once
/// What a search asks for, before any engine has seen it.

#include <string>
#include <string_view>
#include <vector>

namespace quarry::artifacts {

/// One word, several side by side, or either with its last word cut short.
struct SearchTerm {
  std::string text;                ///< as it was written, without quotes and star
  std::vector<std::string> words;  ///< its runs of letters and digits; at least one
  bool is_prefix = false;
  friend bool operator==(const SearchTerm&, const SearchTerm&) = default;
};

struct SearchClause {
  std::vector<SearchTerm> wanted;  ///< all of them; at least one
  std::vector<SearchTerm> unwanted;
  friend bool operator==(const SearchClause&, const SearchClause&) = default;
};

/// At least one of the clauses.
struct SearchQuery {
  std::vector<SearchClause> any;
};

/// Throws `invalid`; see `quarry/artifacts/search.hpp`.
SearchQuery parse_search(std::string_view text);

/// Words that PostgreSQL's English dictionary leaves out.
bool is_stop_word(std::string_view lower_case);

/// The argument of FTS5's MATCH: every word inside quotes, so that none is an operator.
std::string to_fts5(const SearchQuery& query);

/// An SQL expression of type tsquery over the parameters that it appends: the words go as values and are never part of the
/// text.
std::string to_tsquery_sql(const SearchQuery& query, std::vector<std::string>& params);

}  // namespace quarry::artifacts
