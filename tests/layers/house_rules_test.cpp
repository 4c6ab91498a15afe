/// What keeps the code easy to read: sizes, clean text, and nothing left for later.

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <vector>

#include "layers/source_tree.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

constexpr std::size_t kFileLinesHard = 700;
constexpr std::size_t kFileLinesSoft = 400;
constexpr int kFunctionLines = 70;

/// Files over the soft limit, each with the reason why it is one thing and not two.
const std::map<std::string, std::string>& long_files() {
  static const std::map<std::string, std::string> files{
      {"schema/postgres.sql", "the whole desired schema is read in one place"},
      {"schema/sqlite.sql", "the whole desired schema is read in one place"},
  };
  return files;
}

bool is_measured(const SourceFile& file) {
  if (file.path == "LICENSE" || file.path.starts_with("migrations/") || file.extension() == ".md") return false;
  return true;
}

TEST(HouseRules, FilesAreShort) {
  for (const SourceFile& file : source_tree()) {
    if (!is_measured(file)) continue;
    const std::size_t lines = lines_of(file.text).size();
    if (long_files().contains(file.path)) continue;
    EXPECT_LE(lines, kFileLinesHard) << file.path << " must be split";
    EXPECT_LE(lines, kFileLinesSoft) << file.path << " is long: split it, or give the reason in this test's list";
  }
}

TEST(HouseRules, FunctionsFitOnAScreen) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_code()) continue;
    for (const Function& function : functions_of(file.text))
      EXPECT_LE(function.length(), kFunctionLines) << file.path << ":" << function.first_line;
  }
}

/// Words that mark unfinished work. Each is put together from halves, so that this file does not accuse itself.
const std::vector<std::string>& unfinished_words() {
  static const std::vector<std::string> words{std::string("TO") + "DO",       std::string("FIX") + "ME",
                                              std::string("XX") + "X",        std::string("HA") + "CK",
                                              std::string("st") + "ub",       std::string("not ") + "implemented",
                                              std::string("place") + "holder"};
  return words;
}

bool has_word(std::string_view line, std::string_view word) {
  const auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_letter(line[at - 1])) && (end == line.size() || !is_letter(line[end]))) return true;
  }
  return false;
}

TEST(HouseRules, NothingIsLeftForLater) {
  for (const SourceFile& file : source_tree()) {
    if (file.path == "LICENSE") continue;
    const bool is_sql_layer = file.path.find("/sql") != std::string::npos;
    for (const std::string& word : unfinished_words()) {
      if (is_sql_layer && word.starts_with("place")) continue;  // in SQL a word of the trade
      if (!has_word(file.text, word)) continue;
      int number = 0;
      for (const std::string_view line : lines_of(file.text)) {
        ++number;
        EXPECT_FALSE(has_word(line, word)) << file.path << ":" << number << ": " << line;
      }
    }
  }
}

TEST(HouseRules, NoFileKnowsWhereThisCheckoutLies) {
  for (const SourceFile& file : source_tree())
    EXPECT_EQ(file.text.find(QUARRY_SOURCE_DIR), std::string::npos) << file.path << " names " << QUARRY_SOURCE_DIR;
}

TEST(HouseRules, LinksBetweenPagesLeadSomewhere) {
  static const std::regex link(R"re(\]\(([^)#:\s]+)(#[^)]*)?\))re");
  for (const SourceFile& file : source_tree()) {
    if (file.extension() != ".md") continue;
    const auto folder = (std::filesystem::path(QUARRY_SOURCE_DIR) / file.path).parent_path();
    for (auto match = std::sregex_iterator(file.text.begin(), file.text.end(), link); match != std::sregex_iterator();
         ++match)
      EXPECT_TRUE(std::filesystem::exists(folder / (*match)[1].str())) << file.path << " links to " << (*match)[1];
  }
}

TEST(HouseRules, TheIndexNamesEveryPage) {
  const std::string index = read_file(std::filesystem::path(QUARRY_SOURCE_DIR) / "docs/README.md");
  for (const SourceFile& file : source_tree()) {
    const std::filesystem::path path(file.path);
    if (path.parent_path() != "docs" || path.extension() != ".md" || path.filename() == "README.md") continue;
    EXPECT_NE(index.find("(" + path.filename().string() + ")"), std::string::npos)
        << "docs/README.md does not name " << file.path;
  }
}

TEST(HouseRules, TextIsClean) {
  for (const SourceFile& file : source_tree()) {
    EXPECT_TRUE(file.text.empty() || file.text.ends_with('\n')) << file.path << " does not end with a line break";
    EXPECT_EQ(file.text.find('\r'), std::string::npos) << file.path << " has carriage returns";
    if (!file.is_code()) continue;
    int number = 0;
    for (const std::string_view line : lines_of(file.text)) {
      ++number;
      EXPECT_EQ(line.find('\t'), std::string_view::npos) << file.path << ":" << number << " has a tab";
      EXPECT_FALSE(line.ends_with(' ')) << file.path << ":" << number << " ends with a space";
    }
  }
}

TEST(HouseRules, HeadersAreGuardedAndExplainThemselves) {
  for (const SourceFile& file : source_tree()) {
    if (file.extension() != ".hpp") continue;
    EXPECT_TRUE(file.text.starts_with("#pragma once\n")) << file.path;
    if (file.is_public_header()) {
      EXPECT_TRUE(file.text.starts_with("#pragma once\n///")) << file.path << " has no page of documentation at its head";
    }
  }
}

}  // namespace
}  // namespace quarry::test
