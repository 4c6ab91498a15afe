#include "schema/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "quarry/schema/error.hpp"

namespace quarry::schema {
namespace {

using Words = std::vector<std::string>;

bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

[[noreturn]] void refuse(const Script& script, std::size_t line, std::string_view what) {
  throw MigrationError(Reason::bad_set, fmt::format("migration file {}, line {}: {}", script.path, line, what));
}

void read_directive(Script& script, Engine engine, std::size_t line, std::string_view comment) {
  constexpr std::string_view spaces = " \t\r";
  const auto begin = comment.find_first_not_of(spaces);
  const auto word = begin == std::string_view::npos ? std::string_view{}
                                                    : comment.substr(begin, comment.find_last_not_of(spaces) + 1 - begin);
  if (word == "no-transaction")
    script.no_transaction = true;
  else if (word == "destructive")
    script.destructive = true;
  else if (word == "rebuild" && engine == Engine::sqlite)
    script.rebuild = true;
  else if (word == "rebuild")
    refuse(script, line, "'rebuild' is for SQLite; PostgreSQL changes tables in place");
  else
    refuse(script, line, fmt::format("'{}' is no directive; there are no-transaction, destructive and rebuild", word));
}

void read_directives(Script& script, Engine engine) {
  constexpr std::string_view prefix = "-- quarry:";
  Lexer lexer(engine, script.text);
  bool in_statements = false;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.kind == TokenKind::comment && token.text.starts_with(prefix)) {
      if (in_statements) refuse(script, token.line, "a directive stands before the first statement");
      read_directive(script, engine, token.line, token.text.substr(prefix.size()));
    } else if (token.kind != TokenKind::space && token.kind != TokenKind::comment) {
      in_statements = true;
    }
  }
  if (script.rebuild && script.no_transaction)
    refuse(script, 1, "'rebuild' and 'no-transaction' exclude each other: a rebuild is one transaction");
}

bool controls_transaction(const Words& words) {
  static const Words verbs = {"begin", "commit", "rollback", "end", "abort", "start", "savepoint", "release"};
  return !words.empty() && contains(verbs, words[0]);
}

bool switches_foreign_keys(const Words& words) {
  return words.size() >= 2 && words[0] == "pragma" && (words[1] == "foreign_keys" || words[1] == "legacy_alter_table");
}

/// Whether running the statement loses rows or values.
bool loses_data(Engine engine, const std::string& statement) {
  const Words words = leading_words(engine, statement, 3);
  if (words.empty()) return false;
  if (words[0] == "truncate" || words[0] == "delete") return true;
  if (words[0] == "drop" && words.size() > 1) return words[1] == "table" || words[1] == "schema";
  if (words[0] != "alter" || words.size() < 2 || words[1] != "table") return false;
  // ALTER TABLE t DROP [COLUMN] c, but neither DROP CONSTRAINT nor ALTER COLUMN c DROP DEFAULT.
  Lexer lexer(engine, statement);
  int depth = 0;
  bool in_action = false;  // behind ALTER COLUMN, until the next comma
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end;) {
    const Token next = lexer.next_significant();
    depth += token.is('(') - token.is(')');
    if (depth == 0 && token.is(',')) in_action = false;
    if (token.is_word("alter") && (next.is_word("column") || !next.is_word("table"))) in_action = true;
    if (depth == 0 && !in_action && token.is_word("drop") && !next.is_word("constraint")) return true;
    token = next;
  }
  return false;
}

/// CREATE INDEX CONCURRENTLY ON ..., where PostgreSQL would make up a name.
bool builds_nameless_index(Engine engine, const std::string& statement) {
  Words words = leading_words(engine, statement, 5);
  std::erase(words, "unique");
  return engine == Engine::postgres && words.size() >= 4 && words[0] == "create" && words[1] == "index" &&
         words[2] == "concurrently" && words[3] == "on";
}

void check_statement(const Script& script, Engine engine, const ScriptStatement& statement) {
  const Words words = leading_words(engine, statement.text, 4);
  if (controls_transaction(words))
    refuse(script, statement.line, "the migrator begins and ends the transaction; leave this statement out");
  if (engine == Engine::sqlite && switches_foreign_keys(words))
    refuse(script, statement.line,
           "this pragma does nothing within a transaction; to make a table anew, begin the file with '-- quarry: rebuild'");
  if (builds_nameless_index(engine, statement.text))
    refuse(script, statement.line, "name the index, so that one whose building was interrupted can be found again");
  if (!script.no_transaction && needs_autocommit(engine, statement.text))
    refuse(script, statement.line,
           "this statement cannot stand in a transaction; begin the file with '-- quarry: no-transaction'");
}

}  // namespace

bool needs_autocommit(Engine engine, std::string_view statement) {
  const Words words = leading_words(engine, statement, 4);
  if (words.empty()) return false;
  if (words[0] == "vacuum") return true;
  if (engine == Engine::sqlite) {
    // These pragmas change the file's header outside any transaction, or do nothing within one.
    static const Words pragmas = {"journal_mode", "auto_vacuum", "page_size", "foreign_keys"};
    return words[0] == "pragma" && words.size() > 1 && contains(pragmas, words[1]);
  }
  const auto is = [&](std::size_t i, std::string_view word) { return i < words.size() && words[i] == word; };
  if (is(1, "database") || is(1, "tablespace")) return is(0, "create") || is(0, "drop");
  if (is(0, "alter") && is(1, "system")) return true;
  if (is(0, "create") || is(0, "drop")) {
    const std::size_t index = is(1, "unique") ? 2 : 1;
    return is(index, "index") && is(index + 1, "concurrently");
  }
  if (is(0, "alter") && is(1, "table")) {
    // DETACH PARTITION ... CONCURRENTLY: the word cannot stand anywhere else in ALTER TABLE.
    Lexer lexer(engine, statement);
    for (Token token = lexer.next_significant(); token.kind != TokenKind::end; token = lexer.next_significant())
      if (token.is_word("concurrently")) return true;
    return false;
  }
  if (is(0, "reindex"))
    return statement.find("concurrently") != std::string_view::npos ||
           statement.find("CONCURRENTLY") != std::string_view::npos;
  return false;
}

Script read_script(Engine engine, Direction direction, std::string path, std::string text) {
  Script script{.path = std::move(path), .text = std::move(text), .checksum = {}, .statements = {}};
  script.checksum = sha256_hex(script.text);
  try {
    for (const auto& statement : split_script(engine, script.text))
      script.statements.push_back({std::string(statement.text), statement.line, sha256_hex(statement.text)});
  } catch (const Error& error) {
    throw MigrationError(Reason::bad_set, fmt::format("migration file {}, {}", script.path, error.client_message()));
  }
  read_directives(script, engine);
  for (const auto& statement : script.statements) {
    check_statement(script, engine, statement);
    if (direction == Direction::down && !script.rebuild && loses_data(engine, statement.text)) script.destructive = true;
  }
  return script;
}

}  // namespace quarry::schema
