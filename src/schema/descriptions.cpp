#include "schema/descriptions.hpp"

#include <algorithm>
#include <cctype>

namespace quarry::schema {
namespace {

std::string plain_name(Engine engine, std::string_view token) {
  auto name = normalised(engine, token);
  if (name.size() > 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
  return name;
}

/// `-- what it is` without the dashes.
std::string_view comment_words(std::string_view comment) {
  comment.remove_prefix(std::min<std::size_t>(comment.size(), 2));
  while (!comment.empty() && comment.front() == ' ') comment.remove_prefix(1);
  while (!comment.empty() && comment.back() == ' ') comment.remove_suffix(1);
  return comment;
}

bool is_ruler(std::string_view words) {
  return words.size() > 10 && words.find_first_not_of("=-") == std::string_view::npos;
}

void append(std::string& text, std::string_view words) {
  if (words.empty()) return;
  if (!text.empty()) text += ' ';
  text += words;
}

/// Reads the file as tokens. A comment belongs to what follows it, unless that begins on the same line: then to what stands
/// before it.
class Reader {
 public:
  Reader(Engine engine, std::string_view script) : engine_(engine), lexer_(engine, script) { advance(); }

  Descriptions read() {
    while (token_.kind != TokenKind::end) {
      if (token_.kind == TokenKind::space)
        look_at_space();
      else if (token_.kind == TokenKind::comment)
        look_at_comment();
      else if (token_.is_word("create"))
        read_create();
      else
        skip_statement();
    }
    return std::move(found_);
  }

 private:
  void advance() { token_ = lexer_.next(); }

  /// An empty line parts a comment from what comes later.
  void look_at_space() {
    if (std::count(token_.text.begin(), token_.text.end(), '\n') > 1) pending_.clear();
    advance();
  }

  void look_at_comment() {
    const auto words = comment_words(token_.text);
    if (is_ruler(words)) {
      if (in_heading_) found_section();
      in_heading_ = !in_heading_;
      pending_.clear();
    } else {
      append(pending_, words);
    }
    advance();
  }

  void found_section() { section_ = pending_; }

  void skip_statement() {
    while (token_.kind != TokenKind::end && !token_.is(';')) advance();
    advance();
    pending_.clear();
  }

  /// The next word or name; comments on the way are left out.
  Token significant() {
    while (token_.kind == TokenKind::space || token_.kind == TokenKind::comment) advance();
    return token_;
  }

  void read_create() {
    advance();
    auto what = significant();
    while (what.is_word("or") || what.is_word("replace") || what.is_word("virtual")) {
      advance();
      what = significant();
    }
    if (what.is_word("table")) return read_table();
    if (what.is_word("function")) {
      advance();
      found_.functions.emplace(plain_name(engine_, significant().text), pending_);
    }
    skip_statement();
  }

  void read_table() {
    advance();
    while (significant().is_word("if") || token_.is_word("not") || token_.is_word("exists")) advance();
    found_.tables.push_back({plain_name(engine_, token_.text), section_, pending_, {}});
    pending_.clear();
    advance();
    if (!significant().is('(')) return skip_statement();
    read_columns(found_.tables.back());
    skip_statement();
  }

  void read_columns(TableDescription& table) {
    int depth = 0;
    bool at_start = true;
    std::string column;
    std::size_t line = 0;  // of the last token that was part of a column
    for (; token_.kind != TokenKind::end; advance()) {
      if (token_.kind == TokenKind::space) continue;
      if (token_.kind == TokenKind::comment) {
        const bool behind = token_.line == line && !column.empty();
        append(behind ? table.columns[column] : pending_, comment_words(token_.text));
        continue;
      }
      line = token_.line;
      if (token_.is('(')) at_start = ++depth == 1 || at_start;
      if (token_.is(')') && --depth == 0) return pending_.clear();
      if (depth == 1 && token_.is(',')) {
        at_start = true;
        continue;
      }
      if (!at_start || token_.is('(')) continue;
      at_start = false;
      column = plain_name(engine_, token_.text);
      append(table.columns[column], pending_);
      pending_.clear();
    }
  }

  Engine engine_;
  Lexer lexer_;
  Token token_;
  Descriptions found_;
  std::string section_;
  std::string pending_;
  bool in_heading_ = false;
};

}  // namespace

Descriptions read_descriptions(Engine engine, std::string_view script) { return Reader(engine, script).read(); }

}  // namespace quarry::schema
