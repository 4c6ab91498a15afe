#include "schema/sqlite_table.hpp"

#include "quarry/core/error.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {
namespace {

std::string bare_name(const Token& token) { return normalised(Engine::sqlite, token.text); }

/// The table's name may stand in quotes, and quotes may be needed: `normalised` keeps those, here they go.
std::string name_of(const Token& token) {
  std::string name = bare_name(token);
  if (name.size() >= 2 && name.front() == '"') {
    std::string plain;
    for (std::size_t i = 1; i + 1 < name.size(); ++i) {
      plain += name[i];
      if (name[i] == '"') ++i;
    }
    return plain;
  }
  return name;
}

bool begins_constraint(const Token& first) {
  for (const char* word : {"constraint", "primary", "unique", "check", "foreign"})
    if (first.is_word(word)) return true;
  return false;
}

/// One item between commas, from its first token to its last.
void add_part(TableText& table, std::string_view text) {
  Lexer lexer(Engine::sqlite, text);
  Token token = lexer.next_significant();
  const auto offset = [&](const Token& t) { return static_cast<std::size_t>(t.text.data() - text.data()); };
  const auto rest_after = [&](const Token& t) { return text.substr(offset(t) + t.text.size()); };
  TablePart part{{}, std::string(text.substr(token.kind == TokenKind::end ? 0 : offset(token))), {}};
  if (!begins_constraint(token)) {
    part.name = name_of(token);
    part.normalised = normalised(Engine::sqlite, rest_after(token));
    table.columns.push_back(std::move(part));
    return;
  }
  if (token.is_word("constraint")) {
    token = lexer.next_significant();
    part.name = name_of(token);
    part.normalised = normalised(Engine::sqlite, rest_after(token));
  } else {
    part.normalised = normalised(Engine::sqlite, text);
    part.name = part.normalised;
  }
  table.constraints.push_back(std::move(part));
}

}  // namespace

TableText parse_create_table(std::string_view sql) {
  TableText table;
  Lexer lexer(Engine::sqlite, sql);
  const auto offset = [&](const Token& token) { return static_cast<std::size_t>(token.text.data() - sql.data()); };
  Token name;
  Token token = lexer.next_significant();
  while (token.kind != TokenKind::end && !token.is('(')) {
    name = token;
    token = lexer.next_significant();
  }
  if (token.kind == TokenKind::end || name.kind == TokenKind::end)
    throw Error(ErrorCode::corrupt, "a table's stored text is not a CREATE TABLE");
  table.before_name = sql.substr(0, offset(name));
  table.after_name = sql.substr(offset(token));

  int depth = 1;
  std::size_t begin = offset(token) + 1;
  std::size_t end = begin;  // of the last significant token, so that a comment behind a comma's line stays with its line
  for (token = lexer.next_significant(); depth > 0; token = lexer.next_significant()) {
    if (token.kind == TokenKind::end) throw Error(ErrorCode::corrupt, "a table's stored text ends too early");
    depth += token.is('(') - token.is(')');
    if (depth == 0 || (depth == 1 && token.is(','))) {
      add_part(table, sql.substr(begin, end - begin));
      begin = end = offset(token) + 1;
    } else {
      end = offset(token) + token.text.size();
    }
    if (depth == 0) break;
  }
  table.options = normalised(Engine::sqlite, sql.substr(begin));
  return table;
}

}  // namespace quarry::schema
