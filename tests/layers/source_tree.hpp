#pragma once
/// The repository's files as the house-rules tests see them: text, lines, `#include`s, and code without its comments and
/// strings.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::test {

struct SourceFile {
  std::string path;  ///< from the root of the repository, with forward slashes: `src/queue/claim.cpp`
  std::string text;

  std::string_view extension() const;
  /// `queue` for `src/queue/...` and `include/quarry/queue/...`; empty elsewhere, and for `include/quarry/quarry.hpp`.
  std::string part() const;
  bool is_code() const;  ///< .hpp or .cpp
  bool is_public_header() const { return path.starts_with("include/"); }
};

/// Every text file of the repository but what is built (`build/`), run (`data/`) or collected from elsewhere (`corpus/`),
/// sorted by path.
const std::vector<SourceFile>& source_tree();

std::vector<std::string_view> lines_of(std::string_view text);

struct Include {
  std::string path;  ///< as written between the quotes or brackets
  bool quoted;
  int line;
};
std::vector<Include> includes_of(const SourceFile& file);

/// The same text with comments, strings, character literals and preprocessor lines blanked out; line breaks stay where they
/// are.
std::string code_only(std::string_view text);

struct Function {
  int first_line;
  int last_line;
  int data_lines;  ///< of them, those of tables (`= {...}`) and bare case labels: data and not steps
  int length() const { return last_line - first_line + 1 - data_lines; }
};
/// Every function body of a C++ file, from the line of its brace to the line that closes it. Told from the braces alone:
/// what opens outside any function after something with parentheses is one.
std::vector<Function> functions_of(std::string_view text);

}  // namespace quarry::test
