#pragma once
/// A folder for copies in clear: closed to others, gone at the end. One that a killed program has left goes with the next.

#include <filesystem>

#include "backup/file.hpp"

namespace quarry::backup {

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
