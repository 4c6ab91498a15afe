#pragma once
/// The bodies of the content store in a folder of backups: each one once, under a name that only its key can make.

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "backup/engine.hpp"
#include "backup/envelope.hpp"
#include "quarry/backup/keys.hpp"
#include "quarry/backup/repository.hpp"

namespace quarry::backup {

struct StoredBodies {
  std::vector<Digest> names;  ///< of all that belong to the backup, sorted
  std::vector<Digest> fresh;  ///< of them, stored now
  std::int64_t fresh_bytes = 0;
  std::int64_t missing = 0;
};

/// Collects hashes while the snapshot is open, and stores the bodies afterwards.
class BodyCollector {
 public:
  BodyCollector(const Repository& repository, const Keys& keys) : repository_(repository), keys_(keys) {}
  void add(std::string_view hash);
  /// Copies those that the folder does not have yet out of the content store. Durable when it returns.
  /// Each is read back at once and compared with its hash, in the folder `check_in`; not when that is empty.
  StoredBodies store(const std::filesystem::path& blobs, const std::filesystem::path& check_in, const Pause& pause);

 private:
  const Repository& repository_;
  const Keys& keys_;
  std::vector<Digest> hashes_;
};

/// Decrypts each body into `scratch` and compares it with its hash. Throws `BackupError`.
void check_bodies(const Repository& repository, const Keys& keys, const std::vector<Digest>& names,
                  const std::filesystem::path& scratch, const Pause& pause);
/// Throws `missing` unless every file is there.
void require_bodies(const Repository& repository, const std::vector<Digest>& names);
/// Puts those that are not there into the content store, durably. Returns how many.
std::int64_t restore_bodies(const Repository& repository, const Keys& keys, const std::vector<Digest>& names,
                            const std::filesystem::path& blobs, const Pause& pause);

std::filesystem::path body_path(const Repository& repository, const Digest& name);

}  // namespace quarry::backup
