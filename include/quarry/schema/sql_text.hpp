#pragma once
/// SQL as text: tokens, and scripts cut into statements, for both dialects.
///
/// Cutting at semicolons needs the lexical rules and nothing more: strings, quoted names, dollar quotes and (nested)
/// comments hide semicolons; so do parentheses, the body of a PostgreSQL function written as BEGIN ATOMIC ... END, and the
/// body of a SQLite trigger, which ends at `; END ;` (the rule of sqlite3_complete). What stands in a statement is the
/// engine's business.
///
/// Every function is linear in the text, throws `Error` with code `invalid` and the line for text that cannot be cut, and
/// nothing else: they are fuzzed. Thread safety: none needed, there is no state but the arguments.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/query.hpp"

namespace quarry::schema {

using sql::Engine;

enum class TokenKind {
  space,
  comment,
  word,         ///< keyword or plain name; also a SQLite parameter like `$a`
  quoted_name,  ///< "name", and in SQLite `name` and [name]
  string,       ///< 'text' in all its forms, dollar quotes included
  number,
  symbol,  ///< one character: operator, parenthesis, semicolon
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;
  std::size_t line = 1;  ///< where it begins, from 1

  /// Whether it is this word, without regard to case.
  bool is(char symbol) const { return kind == TokenKind::symbol && text[0] == symbol; }
  /// A keyword, in either case; `keyword` is lower case.
  bool is_word(std::string_view keyword) const;
};

/// Hands out the tokens of a text one after the other; `end` for ever after the last. Refers to the text.
class Lexer {
 public:
  Lexer(Engine engine, std::string_view text) : engine_(engine), text_(text) {}
  /// The next token, spaces and comments among them.
  Token next();
  /// Skips spaces and comments.
  Token next_significant();

 private:
  TokenKind scan();
  TokenKind scan_word();
  TokenKind scan_number();
  void scan_quoted(char close, bool backslash_escapes);
  bool continues_escape_string();
  void scan_block_comment();
  bool scan_dollar_quote();
  bool at(std::string_view prefix) const { return text_.substr(at_, prefix.size()) == prefix; }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  Engine engine_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

struct SqlStatement {
  std::string_view text;  ///< from the first to the last token, without the semicolon; refers to the script
  std::size_t line = 1;   ///< where it begins, from 1
};

/// Refuses what only a client program could carry out: psql's backslash commands, the shell's dot commands, COPY ... FROM
/// STDIN.
std::vector<SqlStatement> split_script(Engine engine, std::string_view script);

/// The same statement in one spelling: one space between tokens, no comments, words in lower case, and no quotes around
/// names that need none. Two texts with the same result mean the same; SQLite keeps the text it was given, so they are
/// compared like this.
std::string normalised(Engine engine, std::string_view statement);

/// The first words of a statement, in lower case, at most `count`; stops at anything that is not a word.
std::vector<std::string> leading_words(Engine engine, std::string_view statement, std::size_t count);

/// The name as the engine wants it: in double quotes where it is not plain lower case (or always, which is always right).
std::string quoted_name(std::string_view name);
/// A string literal.
std::string quoted_text(std::string_view text);

}  // namespace quarry::schema
