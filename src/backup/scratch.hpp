#pragma once
/// A folder for copies in clear: closed to others, gone at the end. One that a killed program has left goes with the next,
/// and so does the PostgreSQL server that may still run in it.

#include <filesystem>

#include "backup/file.hpp"

namespace quarry::backup {

/// Where in such a folder a server has its files.
inline constexpr const char* scratch_server = "data";

class ScratchFolder {
 public:
  /// In `parent`, or the system's folder of temporary files when that is empty.
  explicit ScratchFolder(const fs::path& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
  File lock_;  ///< tells that we live
};

}  // namespace quarry::backup
