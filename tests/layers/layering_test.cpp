/// The arrows of the design, read from the `#include` lines: nothing includes upward, drivers stay behind the sql layer, and
/// public headers show nobody's C API.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "layers/source_tree.hpp"

namespace quarry::test {
namespace {

/// Layers, lowest first. A part may include its own layer and those below.
const std::map<std::string, int>& layer_of_part() {
  static const std::map<std::string, int> layers{
      {"core", 0},   {"sql", 1},       {"schema", 2}, {"store", 3},  {"accounts", 4}, {"jobs", 4},
      {"queue", 4},  {"artifacts", 4}, {"cache", 4},  {"limits", 4}, {"billing", 4},  {"searches", 4},
      {"system", 4}, {"backup", 5},    {"ops", 5},    {"crawl", 6},  {"http", 6},     {"cli", 6},
  };
  return layers;
}

/// The part that an `#include "..."` in `file` leads to; empty for what is not a part's (the standard library, the same
/// folder).
std::string part_of_include(const SourceFile& file, const Include& include) {
  if (!include.quoted) return {};
  SourceFile target{(include.path.starts_with("quarry/") ? "include/" : "src/") + include.path, {}};
  const std::string part = target.part();
  return layer_of_part().contains(part) ? part : file.part();
}

std::string at(const SourceFile& file, const Include& include) {
  return file.path + ":" + std::to_string(include.line) + " includes " + include.path;
}

TEST(Layers, EveryFolderOfTheSourceIsAPartWithALayer) {
  for (const SourceFile& file : source_tree()) {
    const std::string part = file.part();
    EXPECT_TRUE(part.empty() || layer_of_part().contains(part)) << file.path << " lies in a part that has no layer";
  }
}

TEST(Layers, NothingIncludesUpward) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_code() || file.part().empty()) continue;
    for (const Include& include : includes_of(file)) {
      const std::string part = part_of_include(file, include);
      if (part.empty()) continue;
      EXPECT_LE(layer_of_part().at(part), layer_of_part().at(file.part())) << at(file, include);
    }
  }
}

TEST(Layers, PartsOfOneLayerDoNotGoInCircles) {
  std::map<std::string, std::set<std::string>> uses;
  for (const SourceFile& file : source_tree()) {
    if (!file.is_code() || file.part().empty()) continue;
    for (const Include& include : includes_of(file)) {
      const std::string part = part_of_include(file, include);
      if (!part.empty() && part != file.part()) uses[file.part()].insert(part);
    }
  }
  std::set<std::string> done;
  std::set<std::string> open;
  const std::function<void(const std::string&)> visit = [&](const std::string& part) {
    ASSERT_FALSE(open.contains(part)) << "a circle of includes goes through " << part;
    if (done.contains(part)) return;
    open.insert(part);
    for (const std::string& next : uses[part]) visit(next);
    open.erase(part);
    done.insert(part);
  };
  for (const auto& [part, layer] : layer_of_part()) visit(part);
}

TEST(Layers, APartSeesOfAnotherOnlyItsPublicHeaders) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_code() || file.part().empty()) continue;
    for (const Include& include : includes_of(file)) {
      if (!include.quoted || include.path.starts_with("quarry/")) continue;
      EXPECT_EQ(part_of_include(file, include), file.part()) << at(file, include);
      EXPECT_FALSE(file.is_public_header()) << at(file, include) << ", which is not installed";
    }
  }
}

TEST(Layers, TheEnginesDoNotKnowEachOther) {
  for (const SourceFile& file : source_tree()) {
    for (const Include& include : includes_of(file)) {
      if (file.path.starts_with("src/sql/sqlite/")) {
        EXPECT_FALSE(include.path.starts_with("sql/postgres/")) << at(file, include);
      }
      if (file.path.starts_with("src/sql/postgres/")) {
        EXPECT_FALSE(include.path.starts_with("sql/sqlite/")) << at(file, include);
      }
    }
  }
}

/// A C API and the folders that may see it, for code under src/ and include/.
struct Fence {
  std::vector<std::string> headers;
  std::vector<std::string> folders;
};

TEST(Layers, LibrariesStayBehindTheirFences) {
  const std::vector<Fence> fences{
      {{"sqlite3.h"}, {"src/sql/sqlite/", "src/backup/sqlite/"}},
      {{"libpq-fe.h", "pg_config", "libpq/"}, {"src/sql/postgres/", "src/backup/postgres/"}},
      {{"boost/beast"}, {"src/http/"}},
      {{"curl/"}, {"src/crawl/", "src/artifacts/"}},
      {{"modest/", "myhtml/", "mycss/", "mycore/"}, {"src/crawl/"}},
      {{"spdlog/"}, {"src/core/"}},
      {{"CLI/"}, {"src/cli/"}},
      {{"toml++/"}, {"src/cli/", "src/core/"}},
  };
  const auto starts_with_any = [](const std::string& text, const std::vector<std::string>& starts) {
    return std::ranges::any_of(starts, [&](const std::string& start) { return text.starts_with(start); });
  };
  for (const SourceFile& file : source_tree()) {
    if (!file.path.starts_with("src/") && !file.is_public_header()) continue;
    for (const Include& include : includes_of(file))
      for (const Fence& fence : fences)
        if (starts_with_any(include.path, fence.headers)) {
          EXPECT_TRUE(starts_with_any(file.path, fence.folders)) << at(file, include);
        }
  }
}

}  // namespace
}  // namespace quarry::test
