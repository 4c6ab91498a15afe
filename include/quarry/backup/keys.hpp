#pragma once
/// What backups are encrypted with: a key file, a passphrase, or a public key that can seal and not open.
///
///     auto keys = backup::Keys::from_key_file("/etc/quarry/backup.keys");     // seals and opens
///     auto keys = backup::Keys::from_public_key_file("backup.pub");           // a host that only writes
///
/// - A **key file** is a key ring (quarry/system/key_ring.hpp): its first key seals, every key in it opens, so that a new
/// key is
///   put in front and the old ones stay as long as there are backups under them. From the ring's 32 bytes two keys are
///   derived by keyed BLAKE2b: one for `crypto_secretbox`, one for X25519.
/// - A **public key** is the public half of the latter, one line of text. What it has sealed (`crypto_box_seal`) the key
/// file
///   opens. Whoever knows it can make backups, so that it tells nothing of where a backup came from.
/// - A **passphrase** is the first line of a file. Its key comes by Argon2id (32 MiB, 8 passes, so that a backup stays
/// within
///   64 MiB of memory) with a salt of the backup folder.
///
/// Each part of a backup has a random key of its own, wrapped by one of these. Errors: `invalid`, `not_found`, `denied` (a
/// secret file is open to others), `unavailable`. Move-only. Not thread-safe, but for different objects.

#include <filesystem>
#include <memory>
#include <string>

namespace quarry::backup {

class Keys {
 public:
  /// Reads a secret key: it writes and reads backups.
  static Keys from_key_file(const std::filesystem::path& file);
  /// Reads a passphrase, from which each folder's own salt makes the key.
  static Keys from_passphrase_file(const std::filesystem::path& file);
  /// Reads a public key, which writes backups and cannot read them.
  static Keys from_public_key_file(const std::filesystem::path& file);

  Keys(Keys&&) noexcept;
  Keys& operator=(Keys&&) noexcept;
  ~Keys();

  /// False for a public key.
  bool can_open() const noexcept;
  /// `key_file`, `passphrase` or `public_key`.
  std::string mode() const;
  /// The line that a file of a public key holds. Throws `invalid` unless made from a key file.
  std::string public_text() const;

  struct Impl;
  Impl& impl() const noexcept { return *impl_; }

 private:
  explicit Keys(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quarry::backup
