#include "quarry/core/path.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

namespace fs = std::filesystem;

class ResolvedPath : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(here_ / "a");
    fs::create_directories(here_ / "b");
  }
  const TempDir folder_{"path"};
  const fs::path here_ = fs::canonical(folder_.path());
};

TEST_F(ResolvedPath, IsTheSameForEverySpelling) {
  const auto file = here_ / "a" / "q.db";
  EXPECT_EQ(resolved_path(file), file) << "it need not exist";
  EXPECT_EQ(resolved_path(here_ / "b" / ".." / "a" / "." / "q.db"), file);
  fs::create_directory_symlink("a", here_ / "folder");
  EXPECT_EQ(resolved_path(here_ / "folder" / "q.db"), file);
  fs::create_symlink("../a/q.db", here_ / "b" / "relative.db");
  EXPECT_EQ(resolved_path(here_ / "b" / "relative.db"), file) << "a link that leads to nothing yet";
  fs::create_symlink(here_ / "b" / "relative.db", here_ / "b" / "twice.db");
  EXPECT_EQ(resolved_path(here_ / "b" / "twice.db"), file);
}

TEST_F(ResolvedPath, OfARelativeOneIsAbsolute) { EXPECT_EQ(resolved_path("q.db"), fs::canonical(".") / "q.db"); }

TEST_F(ResolvedPath, OfWhatCannotBeFoundIsAsItIsSpelled) {
  fs::create_symlink("ring.db", here_ / "a" / "ring.db");
  EXPECT_EQ(resolved_path(here_ / "a" / "ring.db"), here_ / "a" / "ring.db");
  EXPECT_EQ(resolved_path(here_ / "none" / "q.db"), here_ / "none" / "q.db");
}

}  // namespace
}  // namespace quarry::test
