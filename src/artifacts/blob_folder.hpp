#pragma once
/// The folder of a file store: its subfolders, their locks, and how each of them is made durable.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "artifacts/posix_file.hpp"
#include "quarry/artifacts/blob_store.hpp"

namespace quarry::artifacts {

enum class ShardLock {
  none,
  shared,     ///< whoever makes a name appear or moves its time
  exclusive,  ///< whoever looks at the time and removes
};

/// Thread-safe.
class BlobFolder {
 public:
  BlobFolder(std::filesystem::path root, bool create);

  const std::filesystem::path& root() const noexcept { return root_; }
  int root_fd() const noexcept { return root_fd_.get(); }
  std::filesystem::path path_of(const BlobHash& hash) const;

  /// The subfolder of the hashes that begin with `byte`, opened anew each time: a lock belongs to what `open` has returned.
  /// Nothing when it does not exist.
  std::optional<Fd> open_shard(std::uint8_t byte, ShardLock lock) const;
  /// The same, made when it is missing.
  Fd open_or_make_shard(std::uint8_t byte, ShardLock lock);
  /// A body, for reading; nothing when there is none.
  std::optional<Fd> open_body(const BlobHash& hash) const;

  /// The folder of bodies on their way in; nothing when it is missing and not to be made.
  std::optional<Fd> open_incoming(bool make) const;
  /// A new file there.
  struct Incoming {
    Fd fd;
    std::string name;
  };
  Incoming create_incoming(const Fd& folder, const BlobHash& hash);

  /// How often `sync_all` has failed so far. Taken before the first write of what is to be made durable.
  std::uint64_t sync_failures() const;
  /// Makes everything durable that was written to this file system before the call. Callers at the same time share what they
  /// wait for: one `syncfs` that begins after all of them have called. The kernel reports a failed write once, to whichever
  /// `syncfs` comes next; so this throws for everyone whose writes may be among the failed ones: whoever took
  /// `failures_before` before that.
  void sync_all(std::uint64_t failures_before);

 private:
  void lock(const Fd& shard, ShardLock how) const;

  std::filesystem::path root_;
  Fd root_fd_;
  std::atomic<std::uint64_t> created_{0};

  mutable std::mutex sync_mutex_;
  std::condition_variable sync_ended_;
  std::uint64_t syncs_begun_ = 0;
  std::uint64_t syncs_ended_ = 0;
  std::uint64_t sync_failures_ = 0;
  int sync_error_ = 0;  ///< of the last failure
};

/// Sets the time that `last_put_at` is read from. Returns 0 or errno.
int set_put_time(int folder, const char* name, Instant at) noexcept;

}  // namespace quarry::artifacts
