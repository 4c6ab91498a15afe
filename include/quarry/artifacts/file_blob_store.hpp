#pragma once
/// Bodies in a folder of the local file system:
///
///     data/blobs/3f/3f79bb7b435b0532...                 the body, as it is or as one zstd frame; the first four bytes tell
///     which data/blobs/tmp/3f79bb7b435b0532....1234.7          on its way in; garbage after a crash
///
/// A body is written under `tmp`, made durable, renamed to its name and the rename made durable, so that a name in sight is
/// always a whole body. One or two bodies are synced file by file; larger batches by two `syncfs`, which cost about as much
/// as two `fsync` however many files they cover (`docs/artifacts.md` has the measurements and says what durable means on
/// which kernel).
///
/// The folder must be on a local file system with working `flock`; several processes may share it.
///
/// Errors: those of `BlobStore`; the constructor throws `unavailable` for a folder that cannot be made or used, and
/// `invalid` for an empty name. Thread safety: every function, from any thread and any process.

#include <filesystem>
#include <memory>

#include "quarry/artifacts/blob_store.hpp"

namespace quarry::artifacts {

struct FileBlobStoreOptions {
  /// Make the folder when it is missing. Its parent must exist.
  bool create = true;
  /// Bodies larger than this are refused (`invalid`), and stored ones that claim to be larger are `corrupt`.
  std::int64_t body_bytes_max = std::int64_t{1} << 30;
  /// zstd's level; 3 is its own default.
  int zstd_level = 3;
  /// Off, nothing is synced: a crash of the machine may lose what was stored; a crash of the process does not. For tests and
  /// scratch data.
  bool durable = true;
  /// Null means the system's.
  std::shared_ptr<const Clock> clock{};
};

class FileBlobStore final : public BlobStore {
 public:
  explicit FileBlobStore(std::filesystem::path root, FileBlobStoreOptions options = {});
  ~FileBlobStore() override;
  FileBlobStore(const FileBlobStore&) = delete;
  FileBlobStore& operator=(const FileBlobStore&) = delete;

  using BlobStore::put;
  std::vector<StagedBlob> put_many(std::span<const std::span<const std::byte>> bodies) override;
  Bytes get(const BlobHash& hash) override;
  std::optional<BlobInfo> find(const BlobHash& hash) override;
  BlobCheck verify(const BlobHash& hash) override;
  bool remove(const BlobHash& hash) override;
  bool remove_unless_put_after(const BlobHash& hash, Instant moment) override;
  std::vector<BlobInfo> list(std::uint8_t shard) override;
  Abandoned remove_abandoned(std::chrono::microseconds grace, bool dry_run) override;
  Instant now() const override;

  const std::filesystem::path& root() const noexcept;
  /// Where a body lies or would lie.
  std::filesystem::path path_of(const BlobHash& hash) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quarry::artifacts
