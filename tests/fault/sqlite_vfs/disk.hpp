#pragma once
/// A disk that loses its power: what the files hold afterwards, computed from the log of what was asked of it.
///
/// A sync makes everything durable that was written to that file before. What came later may be there or not: nothing of it,
/// all of it, or some of it, cut at the 512 bytes that a disk writes at once.

#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fault/sqlite_vfs/fault_vfs.hpp"

namespace quarry::test {

enum class Loss { everything, nothing, something };

class Disk {
 public:
  /// The files that were there before, durable.
  explicit Disk(std::map<std::string, std::string> files) : durable_(std::move(files)) {}

  void apply(const DiskOp& op);
  /// The power fails in the middle of the last write, of which half has been done.
  void tear_last_write();
  /// What the files hold when the power is back.
  std::map<std::string, std::string> after(Loss loss, std::mt19937_64& random) const;

 private:
  std::map<std::string, std::string> durable_;
  std::vector<DiskOp> pending_;  ///< not synced yet, in order
};

/// All files of a folder, but SQLite's shared memory and the gate, which hold nothing that lasts.
std::map<std::string, std::string> read_folder(const std::filesystem::path& folder);
void write_folder(const std::filesystem::path& folder, const std::map<std::string, std::string>& files);

}  // namespace quarry::test
