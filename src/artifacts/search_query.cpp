#include "artifacts/search_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "artifacts/text_rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::artifacts {
namespace {

constexpr std::size_t bytes_max = 1000;
constexpr int terms_max = 50;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_between(char32_t c, char32_t first, char32_t last) { return first <= c && c <= last; }

/// Roughly what FTS5's unicode61 keeps: letters and digits. Outside ASCII, blocks of punctuation, symbols and pictures are
/// named, and the rest counts as letters; the engines have the last word.
bool is_word_character(char32_t c) {
  if (c < 0x80) return is_between(c, U'0', U'9') || is_between(c, U'a', U'z') || is_between(c, U'A', U'Z');
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  return c != 0xD7 && c != 0xF7 && !is_between(c, 0x2000, 0x206F) && !is_between(c, 0x2190, 0x245F) &&
         !is_between(c, 0x2500, 0x2BFF) && !is_between(c, 0x2E00, 0x2E7F) && !is_between(c, 0x3000, 0x3004) &&
         !is_between(c, 0x3008, 0x3020) && !is_between(c, 0xE000, 0xF8FF) && !is_between(c, 0xFE00, 0xFE6F) &&
         !is_between(c, 0xFF01, 0xFF0F) && c != 0xFEFF && c != 0xFFFD && !is_between(c, 0x1F000, 0x1FAFF);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  while (!text.empty()) {
    const auto character = first_character(text);
    const bool is_word = is_word_character(character.code);
    if (is_word && !inside) words.emplace_back();
    if (is_word) words.back() += text.substr(0, character.length);
    text.remove_prefix(character.length);
    inside = is_word;
  }
  return words;
}

std::string lower_ascii(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// Reads the pieces of a query one after the other.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  struct Piece {
    std::string_view text;
    bool is_quoted = false;
    bool is_unwanted = false;
  };
  bool next(Piece& piece) {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    piece = {};
    if (rest_[0] == '-' && rest_.size() > 1 && !is_space(rest_[1])) {
      piece.is_unwanted = true;
      rest_.remove_prefix(1);
    }
    piece.is_quoted = rest_[0] == '"';
    if (piece.is_quoted) rest_.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"' && (piece.is_quoted || !is_space(rest_[end]))) ++end;
    piece.text = rest_.substr(0, end);
    if (piece.is_quoted && end < rest_.size()) ++end;
    rest_.remove_prefix(end);
    return true;
  }

 private:
  std::string_view rest_;
};

/// Nothing when the piece holds nothing to look for.
bool make_term(const Reader::Piece& piece, SearchTerm& term) {
  auto text = piece.text;
  term = {};
  if (!piece.is_quoted && text.ends_with('*')) {
    term.is_prefix = true;
    while (text.ends_with('*')) text.remove_suffix(1);
  }
  term.words = words_of(text);
  term.text = text;
  const auto is_common = [](const std::string& word) { return is_stop_word(lower_ascii(word)); };
  return !term.words.empty() && (term.is_prefix || !std::all_of(term.words.begin(), term.words.end(), is_common));
}

[[noreturn]] void nothing_to_find() {
  throw_invalid(
      "there is nothing to look for: name at least one word that is not as common as 'the', beside what is excluded and on "
      "each side "
      "of OR");
}

}  // namespace

SearchQuery parse_search(std::string_view text) {
  if (text.size() > bytes_max)
    throw_invalid(fmt::format("a query of {} bytes is too long: {} are the most", text.size(), bytes_max));
  check_text("the query", text);
  SearchQuery query{{SearchClause{}}};
  bool is_after_or = false;
  int terms = 0;
  Reader reader(text);
  for (Reader::Piece piece; reader.next(piece);) {
    if (piece.text == "OR" && !piece.is_quoted && !piece.is_unwanted) {
      is_after_or = !query.any.back().wanted.empty() || !query.any.back().unwanted.empty();
      continue;
    }
    SearchTerm term;
    if (!make_term(piece, term)) continue;
    if (++terms > terms_max) throw_invalid(fmt::format("the query has too many terms: {} are the most", terms_max));
    if (std::exchange(is_after_or, false)) query.any.emplace_back();
    auto& clause = query.any.back();
    (piece.is_unwanted ? clause.unwanted : clause.wanted).push_back(std::move(term));
  }
  for (const auto& clause : query.any)
    if (clause.wanted.empty()) nothing_to_find();
  return query;
}

std::string to_fts5(const SearchQuery& query) {
  const auto term_text = [](const SearchTerm& term) {
    return fmt::format("\"{}\"{}", fmt::join(term.words, " "), term.is_prefix ? " *" : "");
  };
  const auto join = [&](const std::vector<SearchTerm>& terms, const char* between) {
    std::vector<std::string> texts;
    std::transform(terms.begin(), terms.end(), std::back_inserter(texts), term_text);
    return fmt::format("{}", fmt::join(texts, between));
  };
  std::vector<std::string> clauses;
  for (const auto& clause : query.any) {
    // Side by side, not AND: a term that the tokenizer finds empty is then left out, as PostgreSQL leaves it out.
    auto text = "(" + join(clause.wanted, " ") + ")";
    if (!clause.unwanted.empty()) text = fmt::format("({} NOT ({}))", text, join(clause.unwanted, " OR "));
    clauses.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(clauses, " OR "));
}

std::string to_tsquery_sql(const SearchQuery& query, std::vector<std::string>& params) {
  const auto bind = [&](std::string value) {
    params.push_back(std::move(value));
    return fmt::format("${}", params.size());
  };
  const auto term_sql = [&](const SearchTerm& term) {
    if (term.is_prefix) {
      // Letters and digits only, so that the quotes hold.
      std::string lexemes;
      for (const auto& word : term.words) lexemes += (lexemes.empty() ? "'" : " <-> '") + word + "'";
      const bool is_common = term.words.size() == 1 && is_stop_word(lower_ascii(term.words[0]));
      return fmt::format("to_tsquery('{}', {})", is_common ? "simple" : "english", bind(lexemes + ":*"));
    }
    if (term.words.size() == 1) return fmt::format("phraseto_tsquery('english', {})", bind(term.words[0]));
    // PostgreSQL keeps addresses, file names and the like together as one word, and elsewhere it splits them.
    return fmt::format("(phraseto_tsquery('english', {}) || phraseto_tsquery('english', {}))", bind(term.text),
                       bind(fmt::format("{}", fmt::join(term.words, " "))));
  };
  std::vector<std::string> clauses;
  for (const auto& clause : query.any) {
    std::vector<std::string> all;
    for (const auto& term : clause.wanted) all.push_back(term_sql(term));
    for (const auto& term : clause.unwanted) all.push_back("!!" + term_sql(term));
    clauses.push_back(fmt::format("({})", fmt::join(all, " && ")));
  }
  return fmt::format("({})", fmt::join(clauses, " || "));
}

}  // namespace quarry::artifacts
