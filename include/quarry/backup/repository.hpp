#pragma once
/// A folder with backups, one below the other, and the bodies that they share:
///
///     DIR/quarry-backup                          marks the folder, and holds the salt of its passphrase
///     DIR/20260301T120000.000000Z-1a2b3c4d/      one backup; there it is whole, while it is made its name begins with .new-
///         backup.json                            what `list` shows, readable without a key
///         manifest.sealed                        what the database held: tables, rows, digests, and which parts belong to
///         it database.sealed                        SQLite: its pages; PostgreSQL: pg_dump's custom format bodies 32 bytes
///         for each body, its name below
///     DIR/bodies/3f/3f79bb7b....sealed           a body: its hash, then the file of the content store; once, however many
///     backups DIR/wal/, DIR/base/                        point in time: quarry/backup/pitr.hpp
///
/// The name of a body is a keyed hash, by which nobody without the key tells what it is. `backup.json` is not authenticated,
/// but for a checksum against accidents: it tells people and retention what there is, and nothing is restored on its word.
///
/// Errors: `not_found`, `invalid` (no folder of backups), `busy` (another writer), `corrupt`, `unavailable`. Thread safety:
/// none; several processes may read, one at a time writes.

#include <array>
#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quarry/core/time.hpp"

namespace quarry::backup {

/// `backup.json`.
struct Summary {
  std::int64_t format = 1;
  std::string name;
  Instant created_at;                     ///< the moment that it shows
  std::optional<std::string> database{};  ///< whose it is: the setting `backup.database` of the database
  std::string engine;
  std::string engine_version;
  std::string quarry_version;
  std::int64_t schema_version = 0;
  std::int64_t tables = 0;
  std::int64_t rows = 0;
  std::int64_t database_bytes = 0;  ///< before compression
  std::int64_t sealed_bytes = 0;    ///< of manifest and database as they lie there
  std::int64_t bodies = 0;          ///< that belong to it
  std::int64_t bodies_new = 0;      ///< of them, stored with this one
  std::int64_t bodies_new_bytes = 0;
  std::int64_t bodies_missing = 0;   ///< that the content store had lost
  std::int64_t bodies_left_out = 0;  ///< that the database refers to, when it was made without any
  std::string bodies_digest;         ///< BLAKE2b of the list
  std::string key_mode;
  std::int64_t duration_ms = 0;
  std::optional<Instant> verified_at{};     ///< when it was last restored and found equal
  std::optional<std::int64_t> verify_ms{};  ///< how long restoring and comparing took
  std::optional<std::string> failure{};     ///< what the last verification found wrong
};
BOOST_DESCRIBE_STRUCT(Summary, (),
                      (format, name, created_at, database, engine, engine_version, quarry_version, schema_version, tables,
                       rows, database_bytes, sealed_bytes, bodies, bodies_new, bodies_new_bytes, bodies_missing,
                       bodies_left_out, bodies_digest, key_mode, duration_ms, verified_at, verify_ms, failure))

/// Excludes other writers of the folder while it lives.
class RepositoryLock {
 public:
  explicit RepositoryLock(int fd) noexcept : fd_(fd) {}
  RepositoryLock(RepositoryLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  RepositoryLock& operator=(RepositoryLock&&) = delete;
  RepositoryLock(const RepositoryLock&) = delete;
  RepositoryLock& operator=(const RepositoryLock&) = delete;
  ~RepositoryLock();

 private:
  int fd_;
};

class Repository {
 public:
  /// Throws `not_found` or `invalid` when it is no folder of backups.
  static Repository open(const std::filesystem::path& dir);
  /// Makes the folder (not its parent) when it is not there. A folder with other things in it is refused.
  static Repository open_or_make(const std::filesystem::path& dir);

  const std::filesystem::path& dir() const noexcept { return dir_; }
  const std::array<unsigned char, 16>& salt() const noexcept { return salt_; }
  /// Throws `busy`.
  RepositoryLock lock() const;

  /// Oldest first.
  std::vector<Summary> list() const;
  /// By its name, or the beginning of it that no other has. Throws `not_found`, `invalid`.
  Summary get(const std::string& name) const;
  /// The newest verified one; without any, nothing.
  std::optional<Summary> latest_verified() const;

  /// Where a backup of this name lies. Never fails.
  std::filesystem::path folder_of(const std::string& name) const { return dir_ / name; }
  /// Where the bodies of all backups lie. Never fails.
  std::filesystem::path bodies_dir() const { return dir_ / "bodies"; }

 private:
  Repository(std::filesystem::path dir, const std::array<unsigned char, 16>& salt) : dir_(std::move(dir)), salt_(salt) {}
  std::filesystem::path dir_;
  std::array<unsigned char, 16> salt_;
};

/// The newest verified backup in the folder: what a health check asks. A few small files are read. Nothing when there is
/// none, or no such folder.
std::optional<Summary> latest_verified(const std::filesystem::path& dir);

}  // namespace quarry::backup
