#include "quarry/artifacts/search.hpp"

#include <fmt/format.h>

#include <bit>

#include "artifacts/search_query.hpp"
#include "artifacts/sql_text.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/page.hpp"

namespace quarry::artifacts {
namespace {

/// What the engines put around the words they found: control characters, which no page shows, until the caller's marks
/// replace them.
constexpr char mark_begin = '\x02';
constexpr char mark_end = '\x03';

struct RankedRow {
  ArtifactId id;
  UserId user_id;
  std::optional<JobId> job_id;
  std::optional<std::string> source_url;
  std::optional<std::string> title;
  double score;
  std::int64_t seq;  ///< SQLite's key in the index; 0 on PostgreSQL
  std::optional<std::string> snippet;
};
BOOST_DESCRIBE_STRUCT(RankedRow, (), (id, user_id, job_id, source_url, title, score, seq, snippet))

struct Position {
  double score = 0;
  ArtifactId id;
};

/// A page goes on in the answer to the same question only: the scores of another one say nothing about its places.
std::string question_of(const SearchRequest& request) { return "artifact.search " + request.query; }

std::string to_cursor(const SearchRequest& request, const Position& at) {
  return store::encode_cursor(question_of(request), {store::key(std::bit_cast<std::int64_t>(at.score)), store::key(at.id)});
}

Position parse_cursor(const SearchRequest& request, std::string_view text) {
  const auto end = store::decode_cursor(question_of(request), text);
  return {std::bit_cast<double>(end.sort.integer), ArtifactId{end.id.uuid}};
}

/// One line, the caller's marks, and no white space wider than a blank.
std::string tidy(std::string_view raw, const SearchRequest& request) {
  std::string text;
  bool was_blank = true;
  for (const char c : raw) {
    const bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (c == mark_begin)
      text += request.mark_begin;
    else if (c == mark_end)
      text += request.mark_end;
    else if (!is_blank)
      text += c;
    else if (!was_blank)
      text += ' ';
    was_blank = is_blank;
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

void add_conditions(SqlText& text, const SearchRequest& request, const std::optional<Position>& after,
                    std::string_view score) {
  text << " and a.deleted_at is null";
  if (request.user_id) (text << " and a.user_id = ").bind(*request.user_id);
  if (request.job_id) (text << " and a.job_id = ").bind(*request.job_id);
  if (!after) return;
  (text << " and (" << score << " < ").bind(after->score);
  (text << " or (" << score << " = ").bind(after->score);
  (text << " and a.id < ").bind(after->id) << "))";
}

constexpr sql::Query<std::string(std::string, std::int64_t)> find_snippet{
    "artifact.snippet",
    sql::sqlite("select coalesce(snippet(artifacts_fts, 2, char(2), char(3), '…', 24), '') from artifacts_fts"
                " where artifacts_fts match $1 and rowid = $2"),
    sql::postgres("")};

std::vector<RankedRow> search_sqlite(Read& tx, const SearchQuery& query, const SearchRequest& request,
                                     const std::optional<Position>& after, std::int64_t limit) {
  constexpr std::string_view score = "-bm25(artifacts_fts, 8.0, 3.0, 1.0)";
  const auto match = to_fts5(query);
  SqlText text;
  text << "select a.id, a.user_id, a.job_id, a.source_url, a.title, a.seq, null as snippet, " << score << " as score";
  // A cross join keeps the index outside: it leads to the rows, and not the other way round.
  (text << " from artifacts_fts cross join artifacts a on a.seq = artifacts_fts.rowid where artifacts_fts match ")
      .bind(match);
  add_conditions(text, request, after, score);
  (text << " order by score desc, a.id desc limit ").bind(limit);
  auto rows = text.all<RankedRow>(tx, "artifact.search");
  // Only what is shown pays for its snippet.
  for (auto& row : rows) row.snippet = tx.value(find_snippet, match, row.seq);
  return rows;
}

std::vector<RankedRow> search_postgres(Read& tx, const SearchQuery& query, const SearchRequest& request,
                                       const std::optional<Position>& after, std::int64_t limit) {
  constexpr std::string_view score = "ts_rank_cd('{0, 0.125, 0.375, 1}', a.search_vector, q.query, 1)::float8";
  static const std::string headline =
      fmt::format("StartSel=\"{}\", StopSel=\"{}\", MaxWords=24, MinWords=12, ShortWord=0", mark_begin, mark_end);
  std::vector<std::string> words;
  const auto tsquery = to_tsquery_sql(query, words);
  SqlText text;
  text.reserve(words);
  text << "select h.*, ts_headline('english', left(coalesce(h.content_text, ''), 100000), h.query, ";
  text.bind(headline) << ") as snippet from (select a.id, a.user_id, a.job_id, a.source_url, a.title, 0::bigint as seq, "
                      << score << " as score, a.content_text, q.query from artifacts a, (select " << tsquery
                      << " as query) q where a.search_vector @@ q.query";
  add_conditions(text, request, after, score);
  (text << " order by score desc, a.id desc limit ").bind(limit) << ") h order by h.score desc, h.id desc";
  return text.all<RankedRow>(tx, "artifact.search");
}

}  // namespace

SearchPage search(Read& tx, const SearchRequest& wanted) {
  auto request = wanted;
  if (request.limit < 1 || request.limit > 100)
    throw_invalid(fmt::format("a limit of {}: it must be from 1 to 100", request.limit));
  const auto query = parse_search(request.query);
  std::optional<Position> after;
  if (request.cursor) after = parse_cursor(request, *request.cursor);
  if (!tx.actor().sees_all()) {
    if (request.user_id && !tx.actor().sees(*request.user_id)) return {};
    request.user_id = tx.actor().user_id();
  }
  // One more than asked for tells whether there is another page.
  auto rows = tx.engine() == Engine::sqlite ? search_sqlite(tx, query, request, after, request.limit + 1)
                                            : search_postgres(tx, query, request, after, request.limit + 1);
  SearchPage page;
  if (std::cmp_greater(rows.size(), request.limit)) {
    rows.pop_back();
    page.next = to_cursor(request, {rows.back().score, rows.back().id});
  }
  for (auto& row : rows)
    page.items.push_back({row.id, row.user_id, row.job_id, std::move(row.source_url), std::move(row.title), row.score,
                          tidy(row.snippet.value_or(""), request)});
  return page;
}

}  // namespace quarry::artifacts
