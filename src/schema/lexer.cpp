#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Every byte of a character beyond ASCII may stand in a name, in both engines.
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) { return starts_name(c) || is_digit(c) || c == '$'; }

[[noreturn]] void unterminated(std::string_view what, std::size_t line) {
  throw_invalid(fmt::format("line {}: the {} that begins here does not end", line, what));
}

}  // namespace

bool Token::is_word(std::string_view keyword) const {
  if (kind != TokenKind::word || text.size() != keyword.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != keyword[i]) return false;
  }
  return true;
}

Token Lexer::next() {
  if (at_ >= text_.size()) return {TokenKind::end, {}, line_};
  const std::size_t begin = at_;
  const std::size_t line = line_;
  const TokenKind kind = scan();
  const auto text = text_.substr(begin, at_ - begin);
  for (const char c : text) line_ += c == '\n';
  return {kind, text, line};
}

Token Lexer::next_significant() {
  Token token = next();
  while (token.kind == TokenKind::space || token.kind == TokenKind::comment) token = next();
  return token;
}

TokenKind Lexer::scan() {
  const char c = peek();
  const bool sqlite = engine_ == Engine::sqlite;
  if (is_space(c)) {
    while (at_ < text_.size() && is_space(peek())) ++at_;
    return TokenKind::space;
  }
  if (at("--")) {
    while (at_ < text_.size() && peek() != '\n') ++at_;
    return TokenKind::comment;
  }
  if (at("/*")) return scan_block_comment(), TokenKind::comment;
  if (c == '\'') return scan_quoted('\'', false), TokenKind::string;
  if (c == '"') return scan_quoted('"', false), TokenKind::quoted_name;
  if (sqlite && c == '`') return scan_quoted('`', false), TokenKind::quoted_name;
  if (sqlite && c == '[') return scan_quoted(']', false), TokenKind::quoted_name;
  if (!sqlite && c == '$' && scan_dollar_quote()) return TokenKind::string;
  if (starts_name(c) || (sqlite && c == '$')) return scan_word();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return scan_number();
  ++at_;
  return TokenKind::symbol;
}

TokenKind Lexer::scan_word() {
  const std::size_t begin = at_;
  ++at_;
  while (at_ < text_.size() && continues_name(peek())) ++at_;
  // E'...' on PostgreSQL: the one string with backslashes. B'', X'', N'' and U&'' read like plain strings.
  if (engine_ == Engine::postgres && at_ - begin == 1 && (text_[begin] == 'e' || text_[begin] == 'E') && peek() == '\'') {
    do {
      scan_quoted('\'', true);
    } while (continues_escape_string());
    return TokenKind::string;
  }
  return TokenKind::word;
}

/// `E'a'`, a newline, `'b\''`: the second part belongs to the first and keeps its escapes, also behind a line comment. Moves
/// to its quote if so.
bool Lexer::continues_escape_string() {
  std::size_t i = at_;
  bool newline = false;
  while (i < text_.size() && (is_space(text_[i]) || text_.substr(i, 2) == "--")) {
    if (text_[i] == '-')
      i = std::min(text_.find('\n', i), text_.size());
    else
      newline |= text_[i++] == '\n';
  }
  if (!newline || i >= text_.size() || text_[i] != '\'') return false;
  at_ = i;
  return true;
}

TokenKind Lexer::scan_number() {
  while (at_ < text_.size() && (continues_name(peek()) || peek() == '.')) ++at_;
  return TokenKind::number;
}

/// Leaves `at_` behind the closing quote. A doubled quote stands for itself, but for SQLite's `]`, which cannot be doubled.
void Lexer::scan_quoted(char close, bool backslash_escapes) {
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    if (backslash_escapes && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == close) {
      if (close != ']' && i + 1 < text_.size() && text_[i + 1] == close) {
        ++i;
        continue;
      }
      at_ = i + 1;
      return;
    }
  }
  unterminated(close == '\'' ? "string" : "quoted name", line_);
}

void Lexer::scan_block_comment() {
  int depth = 0;
  for (std::size_t i = at_; i + 1 < text_.size(); ++i) {
    if (text_[i] == '/' && text_[i + 1] == '*' && (depth == 0 || engine_ == Engine::postgres)) {
      ++depth;
      ++i;
    } else if (text_[i] == '*' && text_[i + 1] == '/') {
      ++i;
      if (--depth == 0) {
        at_ = i + 1;
        return;
      }
    }
  }
  unterminated("comment", line_);
}

/// `$$...$$` and `$tag$...$tag$`. False for `$1` and a lone dollar.
bool Lexer::scan_dollar_quote() {
  std::size_t i = at_ + 1;
  if (i < text_.size() && starts_name(text_[i]))
    while (i < text_.size() && continues_name(text_[i]) && text_[i] != '$') ++i;
  if (i >= text_.size() || text_[i] != '$') return false;
  const auto tag = text_.substr(at_, i + 1 - at_);
  const auto close = text_.find(tag, i + 1);
  if (close == std::string_view::npos) unterminated(fmt::format("dollar-quoted string {}", tag), line_);
  at_ = close + tag.size();
  return true;
}

}  // namespace quarry::schema
