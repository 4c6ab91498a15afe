/// The two functions of `source_tree.hpp` that read C++ itself: just enough of its grammar to find comments, strings and
/// bodies.

#include <algorithm>
#include <cctype>

#include "layers/source_tree.hpp"

namespace quarry::test {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text) {}

  std::string run() {
    bool at_line_start = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (starts("//"))
        skip_line();
      else if (starts("/*"))
        skip_to("*/", 2);
      else if (at_line_start && c == '#')
        skip_line();
      else if (starts("R\"") && !follows_word())
        skip_raw_string();
      else if (c == '"')
        skip_literal('"');
      else if (c == '\'' && !is_digit_separator())
        skip_literal('\'');
      else
        keep();
      at_line_start = c == '\n' || (at_line_start && (c == ' ' || c == '\t'));
    }
    return std::move(out_);
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool follows_word() const { return at_ > 0 && is_word(text_[at_ - 1]); }
  bool is_digit_separator() const {
    return at_ > 0 && at_ + 1 < text_.size() && std::isxdigit(static_cast<unsigned char>(text_[at_ - 1])) != 0 &&
           std::isxdigit(static_cast<unsigned char>(text_[at_ + 1])) != 0;
  }
  void keep() { out_ += text_[at_++]; }
  void blank() { out_ += text_[at_++] == '\n' ? '\n' : ' '; }
  void blank_until(std::size_t end) {
    while (at_ < std::min(end, text_.size())) blank();
  }
  void skip_to(std::string_view what, std::size_t from) {
    const std::size_t found = text_.find(what, at_ + from);
    blank_until(found == std::string_view::npos ? text_.size() : found + what.size());
  }
  /// To the end of the line, or of the last line that it is continued on.
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) blank();
      blank();
    }
  }
  void skip_literal(char quote) {
    blank();
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) blank();
      blank();
    }
    if (at_ < text_.size()) blank();
  }
  void skip_raw_string() {
    const std::size_t open = std::min(text_.find('(', at_), text_.size());
    const std::string close = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    skip_to(close, 2);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

enum class Scope { outer, function, other };

/// What a brace opens, from the text since the last statement.
Scope scope_after(const std::string& head) {
  const bool has_parenthesis = head.find('(') != std::string::npos;
  const std::size_t end = head.find_last_of("()=");
  const std::string_view tail = std::string_view(head).substr(end == std::string::npos ? 0 : end + 1);
  for (const std::string_view keyword : {"namespace", "class", "struct", "union", "enum", "extern"}) {
    const std::size_t at = tail.find(keyword);
    if (at == std::string_view::npos || (at > 0 && is_word(tail[at - 1]))) continue;
    if (at + keyword.size() == tail.size() || !is_word(tail[at + keyword.size()])) return Scope::outer;
  }
  return has_parenthesis ? Scope::function : Scope::other;
}

/// Lines that hold nothing but a case label: `case a:` above `return b;` is one line in all but form.
int case_labels(const std::vector<std::string_view>& lines, int first, int last) {
  int labels = 0;
  for (int number = first; number <= last; ++number) {
    const std::string_view line = lines[static_cast<std::size_t>(number - 1)];
    const std::size_t begin = line.find_first_not_of(' ');
    const std::size_t end = line.find_last_not_of(' ');
    if (begin != std::string_view::npos && line.substr(begin).starts_with("case ") && line[end] == ':') ++labels;
  }
  return labels;
}

}  // namespace

std::string code_only(std::string_view text) { return Blanker(text).run(); }

std::vector<Function> functions_of(std::string_view text) {
  const std::string code = code_only(text);
  const std::vector<std::string_view> lines = lines_of(code);
  std::vector<Function> functions;
  std::vector<Scope> scopes;
  std::string head;
  int line = 1;
  int first_line = 0;
  std::size_t function_depth = 0;  // of the brace that opened the function we are in, or 0
  std::size_t table_depth = 0;     // of the brace of a table in it (`= {`), or 0
  int table_line = 0;
  int data_lines = 0;
  char before = ' ';  // the last character that is not white space
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '\n') ++line;
    if (c == '{') {
      scopes.push_back(function_depth != 0 ? Scope::other : scope_after(head));
      if (function_depth == 0 && scopes.back() == Scope::function) {
        function_depth = scopes.size();
        first_line = line;
        data_lines = 0;
      } else if (table_depth == 0 && before == '=') {
        table_depth = scopes.size();
        table_line = line;
      }
      if (scopes.back() == Scope::outer) head.clear();
    } else if (c == '}' && !scopes.empty()) {
      if (table_depth == scopes.size()) {
        data_lines += line - table_line;
        table_depth = 0;
      }
      if (function_depth == scopes.size()) {
        functions.push_back({first_line, line, data_lines + case_labels(lines, first_line, line)});
        function_depth = 0;
      }
      scopes.pop_back();
      const std::size_t next = code.find_first_not_of(" \t\n", i + 1);
      // A member's initialiser: the constructor's body is still to come.
      const bool goes_on = next != std::string::npos && (code[next] == ',' || code[next] == '{');
      if (!goes_on) head.clear();
    } else if (c == ';' && function_depth == 0) {
      head.clear();
    } else if (function_depth == 0) {
      head += c;
    }
    if (c != ' ' && c != '\n') before = c;
  }
  return functions;
}

}  // namespace quarry::test
