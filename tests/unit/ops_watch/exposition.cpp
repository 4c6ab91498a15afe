#include "unit/ops_watch/exposition.hpp"

#include <regex>
#include <set>
#include <sstream>

namespace quarry::test {
namespace {

/// The family that a sample belongs to: of histograms and summaries the name without its suffix.
std::string family_of(const std::string& name, const std::map<std::string, std::string>& types) {
  for (const std::string suffix : {"_bucket", "_sum", "_count"})
    if (name.ends_with(suffix)) {
      const auto base = name.substr(0, name.size() - suffix.size());
      const auto found = types.find(base);
      if (found != types.end() && (found->second == "histogram" || (found->second == "summary" && suffix != "_bucket")))
        return base;
    }
  return name;
}

/// `name="value",...` with its escapes undone; false when it is anything else.
bool read_labels(const std::string& text, std::map<std::string, std::string>& labels) {
  static const std::regex name_form("[a-zA-Z_][a-zA-Z0-9_]*");
  std::size_t at = 0;
  while (at < text.size()) {
    const auto equals = text.find("=\"", at);
    if (equals == std::string::npos) return false;
    const auto name = text.substr(at, equals - at);
    if (!std::regex_match(name, name_form) || labels.contains(name)) return false;
    std::string value;
    for (at = equals + 2; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] != '\\') {
        value += text[at];
      } else if (++at < text.size() && (text[at] == '\\' || text[at] == '"' || text[at] == 'n')) {
        value += text[at] == 'n' ? '\n' : text[at];
      } else {
        return false;
      }
    }
    if (at >= text.size()) return false;
    labels[name] = value;
    if (++at < text.size() && text[at++] != ',') return false;
  }
  return true;
}

}  // namespace

std::string Exposition::value(std::string_view name, const std::map<std::string, std::string>& labels) const {
  std::string found = "none";
  for (const auto& sample : samples)
    if (sample.name == name && sample.labels == labels) found = found == "none" ? sample.value : "several";
  return found;
}

Exposition read_exposition(std::string_view text) {
  static const std::regex comment_form(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
  static const std::regex sample_form(
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+]?[0-9.]+(?:e[-+]?[0-9]+)?|NaN|[-+]Inf))");
  Exposition read;
  if (!text.empty() && !text.ends_with('\n')) read.findings.emplace_back("the last line does not end");
  std::set<std::string> helped, done, seen;
  std::string current;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment_form)) {
      const auto name = match[2].str();
      if (match[1] == "HELP" && !helped.insert(name).second) read.findings.push_back("helped twice: " + name);
      if (match[1] == "TYPE" && !read.types.emplace(name, match[3].str()).second)
        read.findings.push_back("typed twice: " + name);
      continue;
    }
    Sample sample;
    if (!std::regex_match(line, match, sample_form) || !read_labels(match[2].str(), sample.labels)) {
      read.findings.push_back("not understood: " + line);
      continue;
    }
    sample.name = match[1].str();
    sample.value = match[3].str();
    const auto family = family_of(sample.name, read.types);
    if (!read.types.contains(family) || !helped.contains(family))
      read.findings.push_back("before its type or help: " + line);
    if (family != current && !done.insert(family).second) read.findings.push_back("not together with its family: " + line);
    current = family;
    if (!seen.insert(line.substr(0, line.rfind(' '))).second) read.findings.push_back("a second time: " + line);
    read.samples.push_back(std::move(sample));
  }
  return read;
}

}  // namespace quarry::test
