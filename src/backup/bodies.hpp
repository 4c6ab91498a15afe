#pragma once
/// The bodies of the content store in a folder of backups: each one once, under a name that only its key can make.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "backup/engine.hpp"
#include "backup/envelope.hpp"
#include "backup/scratch.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/backup/keys.hpp"
#include "quarry/backup/repository.hpp"

namespace quarry::backup {

struct StoredBodies {
  std::vector<Digest> names;  ///< of all that belong to the backup, sorted
  std::int64_t fresh = 0;     ///< of them, stored now
  std::int64_t fresh_bytes = 0;
  std::int64_t missing = 0;
};

/// Collects hashes while the snapshot is open, and stores the bodies afterwards.
class BodyCollector {
 public:
  BodyCollector(const Repository& repository, const Keys& keys) : repository_(repository), keys_(keys) {}
  void add(std::string_view hash);
  const std::vector<Digest>& hashes() const noexcept { return hashes_; }
  /// Copies those that the folder does not have yet, or has without their end, out of the content store. Durable when it
  /// returns. Once.
  /// Each is read back at once and compared with its hash, in the folder `check_in`; not when that is empty.
  StoredBodies store(const std::filesystem::path& blobs, const std::filesystem::path& check_in, const Pause& pause);

 private:
  const Repository& repository_;
  const Keys& keys_;
  std::vector<Digest> hashes_;
};

/// Decrypts each body into `scratch` and compares it with its hash. One that is damaged is set aside (`.damaged`), so that
/// the next backup stores it again; when all have been looked at, the first one's `BackupError` is thrown.
void check_bodies(const Repository& repository, const Keys& keys, const std::vector<Digest>& names,
                  const std::filesystem::path& scratch, const Pause& pause);
/// Throws `missing` unless every file is there.
void require_bodies(const Repository& repository, const std::vector<Digest>& names);
/// Throws when the content store is not there and cannot be made: asked before the work, so that nobody waits for hours to
/// be told.
void require_place_for_bodies(const std::filesystem::path& blobs);
struct FoundBodies {
  std::int64_t restored = 0;  ///< that were not in the store
  std::int64_t missing = 0;   ///< that are neither in the store nor in the folder
};

/// Bodies on their way into a content store: unsealed into a folder within it that is nobody's, and put in their places in
/// one go. What never gets there is removed; what a killed program has left there goes with the next one.
class BodyRestorer {
 public:
  /// Makes the store also for nothing: one that is not there is an error to whoever opens it next.
  BodyRestorer(const Repository& repository, const Keys& keys, const std::filesystem::path& blobs);
  ~BodyRestorer();
  BodyRestorer(const BodyRestorer&) = delete;
  BodyRestorer& operator=(const BodyRestorer&) = delete;

  /// Returns how many were not in the store.
  std::int64_t take_named(const std::vector<Digest>& names, const Pause& pause);
  /// Those with these hashes, whichever backups they belong to.
  FoundBodies take_with_hashes(const std::vector<Digest>& hashes);
  /// Durable when it returns. Again, it does nothing more.
  void put_in_place();

 private:
  bool has(const artifacts::BlobHash& hash);
  bool take(const Digest& name);

  const Repository& repository_;
  const Keys& keys_;
  std::filesystem::path blobs_;
  bool made_store_;
  bool in_place_ = false;
  std::unique_ptr<artifacts::FileBlobStore> content_;
  std::optional<ScratchFolder> staging_;
};

/// The name that the file of a body has; nothing when it is something else.
std::optional<Digest> name_of_body(const std::filesystem::path& file);
std::filesystem::path body_path(const Repository& repository, const Digest& name);

}  // namespace quarry::backup
