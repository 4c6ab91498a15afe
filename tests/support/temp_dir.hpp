#pragma once
/// A folder of its own for a test, gone with everything in it at the end of the scope.
///
/// Only its owner may enter it. Not thread-safe.

#include <filesystem>
#include <string>
#include <string_view>

namespace quarry::test {

/// Where the tests' folders lie: `$TMPDIR` when it is set; in memory (`/dev/shm`) when there is room; or else `/tmp`. A test
/// that does not cut the power cannot tell, and a durable commit takes microseconds there instead of milliseconds.
std::filesystem::path scratch_root();

class TempDir {
 public:
  /// `label` goes into the name, so that a folder left behind by a killed test tells where it came from.
  explicit TempDir(std::string_view label = "test");
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// The whole file; throws when it cannot be read.
std::string read_file(const std::filesystem::path& file);
/// Replaces the file's content.
void write_file(const std::filesystem::path& file, std::string_view content);

}  // namespace quarry::test
