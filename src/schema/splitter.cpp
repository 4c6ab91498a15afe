#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// What has been seen of the statement under way: enough to know which semicolon ends it.
class StatementScanner {
 public:
  explicit StatementScanner(Engine engine) : engine_(engine) {}

  /// True when `token` is the semicolon that ends the statement.
  bool ends_with(const Token& token) {
    if (token.is(';')) return ends_at_semicolon();
    if (token.is('(')) {
      if (depth_++ == 0) opened_line_ = token.line;
    } else if (token.is(')')) {
      if (depth_ > 0) --depth_;
    }
    if (token.kind == TokenKind::word) see_word(token);
    tail_ = token.is_word("end") && tail_ == Tail::semicolon ? Tail::end : Tail::other;
    if (empty()) {
      begin_ = token.text.data();
      line_ = token.line;
    }
    end_ = token.text.data() + token.text.size();
    after_begin_ = token.is_word("begin");
    return false;
  }

  bool empty() const { return begin_ == nullptr; }
  std::size_t line() const { return line_; }

  SqlStatement take() {
    const SqlStatement done{{begin_, static_cast<std::size_t>(end_ - begin_)}, line_};
    *this = StatementScanner(engine_);
    return done;
  }

  void check_complete() const {
    if (depth_ > 0) throw_invalid(fmt::format("line {}: the parenthesis that opens here is not closed", opened_line_));
    if (body_depth_ > 0) throw_invalid(fmt::format("line {}: the BEGIN ATOMIC of this function has no END", line_));
    if (is_trigger() && tail_ != Tail::end) throw_invalid(fmt::format("line {}: this trigger has no END", line_));
  }

 private:
  enum class Tail { other, semicolon, end };

  bool ends_at_semicolon() {
    if (engine_ == Engine::sqlite && is_trigger()) {
      if (tail_ == Tail::end) return true;
      tail_ = Tail::semicolon;
      return false;
    }
    return depth_ == 0 && body_depth_ == 0;
  }

  void see_word(const Token& token) {
    if (words_seen_ < 5) words_[words_seen_++] = lower(token.text);
    if (engine_ == Engine::sqlite || !is_routine()) return;
    if (token.is_word("atomic") && after_begin_)
      ++body_depth_;
    else if (body_depth_ > 0 && token.is_word("case"))
      ++body_depth_;
    else if (body_depth_ > 0 && token.is_word("end"))
      --body_depth_;
  }

  /// CREATE [TEMP | TEMPORARY] TRIGGER, in SQLite; EXPLAIN before it does not occur in scripts that change a schema.
  bool is_trigger() const {
    if (engine_ != Engine::sqlite || words_[0] != "create") return false;
    return words_[1] == "trigger" || ((words_[1] == "temp" || words_[1] == "temporary") && words_[2] == "trigger");
  }
  /// CREATE [OR REPLACE] FUNCTION | PROCEDURE, in PostgreSQL.
  bool is_routine() const {
    const std::size_t i = words_[1] == "or" ? 3 : 1;
    return words_[0] == "create" && (words_[i] == "function" || words_[i] == "procedure");
  }

  Engine engine_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  std::size_t line_ = 1;
  std::size_t opened_line_ = 1;
  std::size_t depth_ = 0;       ///< open parentheses
  std::size_t body_depth_ = 0;  ///< BEGIN ATOMIC and the CASEs in it
  std::string words_[5];
  std::size_t words_seen_ = 0;
  bool after_begin_ = false;  ///< the token before was BEGIN
  Tail tail_ = Tail::other;
};

/// What only psql or the sqlite3 shell would understand.
void refuse_client_command(Engine engine, const Token& token, bool starts_statement) {
  if (engine == Engine::postgres && token.is('\\'))
    throw_invalid(fmt::format("line {}: a backslash command belongs to psql; write plain SQL", token.line));
  if (engine == Engine::sqlite && starts_statement && token.is('.'))
    throw_invalid(fmt::format("line {}: a dot command belongs to the sqlite3 shell; write plain SQL", token.line));
}

void refuse_copy_from_stdin(Engine engine, const SqlStatement& statement) {
  if (engine != Engine::postgres || leading_words(engine, statement.text, 1) != std::vector<std::string>{"copy"}) return;
  Lexer lexer(engine, statement.text);
  bool after_from = false;
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant()) {
    if (after_from && token.is_word("stdin"))
      throw_invalid(fmt::format("line {}: COPY ... FROM STDIN needs a client program; write INSERT", statement.line));
    after_from = token.is_word("from");
  }
}

/// Whether a name means the same without its quotes, whatever keywords the engine has: kept in quotes when in doubt.
bool is_plain_name(std::string_view name) {
  if (name.empty() || !((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_')) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  return true;
}

}  // namespace

std::vector<SqlStatement> split_script(Engine engine, std::string_view script) {
  std::vector<SqlStatement> statements;
  Lexer lexer(engine, script);
  StatementScanner scanner(engine);
  const auto finish = [&] {
    if (scanner.empty()) return;
    scanner.check_complete();
    statements.push_back(scanner.take());
    refuse_copy_from_stdin(engine, statements.back());
  };
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant()) {
    refuse_client_command(engine, token, scanner.empty());
    if (scanner.ends_with(token)) finish();
  }
  finish();
  return statements;
}

std::string normalised(Engine engine, std::string_view statement) {
  std::string result;
  Lexer lexer(engine, statement);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant()) {
    if (!result.empty()) result += ' ';
    if (token.kind == TokenKind::word || token.kind == TokenKind::number) {
      result += lower(token.text);
    } else if (token.kind == TokenKind::quoted_name) {
      const auto inside = token.text.substr(1, token.text.size() - 2);
      // SQLite's names are the same in either case, PostgreSQL's in quotes are not.
      const auto name = engine == Engine::sqlite ? lower(inside) : std::string(inside);
      result += is_plain_name(name) ? name : token.text[0] == '"' ? std::string(token.text) : quoted_name(inside);
    } else {
      result += token.text;
    }
  }
  return result;
}

std::vector<std::string> leading_words(Engine engine, std::string_view statement, std::size_t count) {
  std::vector<std::string> words;
  Lexer lexer(engine, statement);
  while (words.size() < count) {
    const Token token = lexer.next_significant();
    if (token.kind != TokenKind::word) break;
    words.push_back(lower(token.text));
  }
  return words;
}

std::string quoted_name(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) result.append(c == '"' ? 2 : 1, c);
  return result += '"';
}

std::string quoted_text(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result.append(c == '\'' ? 2 : 1, c);
  return result += '\'';
}

}  // namespace quarry::schema
