#pragma once
/// Several bodies on their way into a folder: written, synced, published, synced. See
/// `quarry/artifacts/file_blob_store.hpp`.

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "artifacts/blob_folder.hpp"
#include "quarry/artifacts/file_blob_store.hpp"

namespace quarry::artifacts {

/// What is left of an unfinished batch is removed when it ends; a killed process leaves files under `tmp`.
class BlobBatch {
 public:
  BlobBatch(BlobFolder& folder, const FileBlobStoreOptions& options, Instant now, std::size_t size);
  BlobBatch(const BlobBatch&) = delete;
  BlobBatch& operator=(const BlobBatch&) = delete;
  ~BlobBatch();

  /// Writes one body, unless a whole copy of it is there.
  void add(std::span<const std::byte> body);
  /// Gives the bodies their names. Everything is durable when it returns.
  std::vector<StagedBlob> publish();

 private:
  struct Entry {
    StagedBlob staged;
    std::span<const std::byte> body;
    std::string incoming;  ///< name of the file under `tmp`; empty when a whole copy is there
  };

  bool find_copy(Entry& entry) const;
  void write(Entry& entry);
  void write_again(Entry& entry);  ///< after everybody else's body was synced: this one by itself
  void place(Entry& entry);
  /// A few files are synced one by one, which leaves other programs' data alone; of many, all at once.
  bool syncs_singly() const noexcept { return size_ <= 2; }

  BlobFolder& folder_;
  const FileBlobStoreOptions& options_;
  Instant now_;
  std::size_t size_;
  std::uint64_t sync_failures_;  ///< before the first write
  Fd incoming_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> order_;  ///< the entry of each body that was added
  std::unordered_map<BlobHash, std::size_t> by_hash_;
};

}  // namespace quarry::artifacts
