#include "layers/source_tree.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

namespace fs = std::filesystem;

constexpr std::array kText{".hpp",   ".cpp", ".h",    ".c",  ".sql",  ".md",  ".txt",
                           ".cmake", ".in",  ".json", ".sh", ".toml", ".awk", ""};
constexpr std::array kSkippedFolders{"build", "data", "corpus", "clang14"};

bool is_text(const fs::path& file) { return std::ranges::find(kText, file.extension().string()) != kText.end(); }

bool is_skipped(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return (name.starts_with('.') && name != ".ci") || std::ranges::find(kSkippedFolders, name) != kSkippedFolders.end();
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && is_skipped(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && is_text(entry->path())) {
      files.push_back({fs::relative(entry->path(), root).generic_string(), read_file(entry->path())});
    }
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

}  // namespace

std::string_view SourceFile::extension() const {
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return {};
  return std::string_view(path).substr(dot);
}

std::string SourceFile::part() const {
  for (const std::string_view root : {"src/", "include/quarry/"}) {
    if (!path.starts_with(root)) continue;
    const std::size_t slash = path.find('/', root.size());
    if (slash != std::string::npos) return path.substr(root.size(), slash - root.size());
  }
  return {};
}

bool SourceFile::is_code() const { return extension() == ".hpp" || extension() == ".cpp"; }

const std::vector<SourceFile>& source_tree() {
  static const std::vector<SourceFile> files = read_tree(QUARRY_SOURCE_DIR);
  return files;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex directive(R"re(^\s*#\s*include\s*([<"])([^">]+)[">])re");
  std::vector<Include> includes;
  int number = 0;
  for (const std::string_view line : lines_of(file.text)) {
    ++number;
    std::match_results<std::string_view::const_iterator> match;
    if (line.find("include") == std::string_view::npos) continue;  // a regular expression is a thousand times as slow
    if (std::regex_search(line.begin(), line.end(), match, directive))
      includes.push_back({match[2], match[1] == "\"", number});
  }
  return includes;
}

}  // namespace quarry::test
