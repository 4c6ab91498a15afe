#include "conformance/tenants/public_calls.hpp"

#include <cctype>
#include <fstream>
#include <regex>
#include <sstream>

namespace quarry::test {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string without_comments(const std::string& text) {
  std::string code;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) code += line.substr(0, line.find("//")) + '\n';
  return code;
}

/// The name of the function in whose list of parameters `at` lies; empty for the type of a callable.
std::string function_around(const std::string& code, std::size_t at) {
  int depth = 0;
  while (at > 0) {
    const char c = code[--at];
    if (c == ')') ++depth;
    if (c == ';' || c == '}') return {};
    if (c == '(' && depth-- == 0) break;
  }
  const auto end = at;
  while (at > 0 && is_word(code[at - 1])) --at;
  return at > 0 && code[at - 1] == '<' ? std::string() : code.substr(at, end - at);
}

}  // namespace

std::map<std::string, int> public_calls_of(const std::string& header) {
  const auto code = without_comments(header);
  const std::regex scope(R"(namespace quarry(?:::(\w+))?)"), transaction(R"(\b(Read|Write)&)");
  std::string space;
  if (std::smatch found; std::regex_search(code, found, scope) && found[1].matched) space = found[1].str() + "::";
  std::map<std::string, int> calls;
  for (std::sregex_iterator it(code.begin(), code.end(), transaction), end; it != end; ++it)
    if (const auto name = function_around(code, static_cast<std::size_t>(it->position())); !name.empty())
      ++calls[space + name];
  return calls;
}

std::map<std::string, int> public_calls(const std::filesystem::path& include_folder) {
  std::map<std::string, int> calls;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(include_folder)) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    for (const auto& [call, overloads] : public_calls_of(text.str())) calls[call] += overloads;
  }
  return calls;
}

}  // namespace quarry::test
