#pragma once
/// A file system of SQLite's that records what is asked of the disk, and fails where it is told to: a shim over the one that
/// SQLite brings along, which does the work (sqlite.org/vfs.html).
///
///     auto& vfs = FaultVfs::install();             // every connection opened from now on goes through it
///     vfs.watch(folder);  ...  auto log = vfs.take_log();
///     vfs.fail({.at = 7, .with = Failure::io_error});
///
/// Writes, truncations, syncs and deletions of files in the folder are operations; they are numbered from 1. Locks and
/// shared memory do not touch the disk, and reads change nothing: they are handed on. Thread-safe.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace quarry::test {

/// What was asked of the disk, and done.
struct DiskOp {
  enum class What { write, truncate, sync, remove, mark };
  What what;
  std::string file{};       ///< its name in the folder
  std::int64_t offset = 0;  ///< of a write; the size, of a truncation; the number, of a mark
  std::string bytes{};
};

enum class Failure {
  io_error,   ///< nothing is done
  torn,       ///< half of the bytes are written
  disk_full,  ///< writes fail with SQLITE_FULL; everything else works
};

struct FailurePlan {
  std::int64_t at = 0;  ///< the operation that fails first; 0: none
  Failure with = Failure::io_error;
  bool from_then_on = false;  ///< and all after it
};

class FaultVfs {
 public:
  /// Becomes SQLite's default for the rest of the process.
  static FaultVfs& install();

  /// Records what happens in the folder, from now on.
  void watch(const std::filesystem::path& folder);
  /// What has happened; ends the watch.
  std::vector<DiskOp> take_log();
  /// Puts an entry of the test's own into the log: `something was acknowledged`.
  void mark(std::int64_t number);

  /// Counts from 1 again, and fails as planned.
  void fail(const FailurePlan& plan);
  /// Each sync takes this long, as on a disk of its own: time for others to come together.
  void slow_down(std::chrono::microseconds sync);
  /// Nothing fails any more. Whether something has.
  bool end_failures();
};

}  // namespace quarry::test
