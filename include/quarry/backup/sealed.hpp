#pragma once
/// One part of a backup: a stream, compressed, encrypted and authenticated. Numbers are little-endian.
///
///     offset  bytes
///          0      8  "QUARRYBK"
///          8      2  version of the format, 1
///         10      1  kind: 1 manifest, 2 database, 3 body, 4 base backup, 5 segment of the log (PartKind)
///         11      1  key: 1 key file, 2 passphrase, 3 public key
///         12      4  bytes of a chunk, 65536
///         16     32  what the part belongs to (Subject)
///         48      8  id of the wrapping key
///         56     16  salt of a passphrase, else zeros
///         72      4  passes of Argon2id, else 0
///         76      8  its memory in bytes, else 0
///         84     80  the part's own key, wrapped: nonce (24) and crypto_secretbox (48) and zeros, or crypto_box_seal
///        164     24  header of crypto_secretstream_xchacha20poly1305
///        188     16  BLAKE2b of the 188 bytes before it
///        204         chunks: 65536 bytes of one zstd frame and 17 of secretstream; the last one is shorter and has
///        TAG_FINAL end-16  8   length of the file end-8   8   "QUARRYND"
///
/// The 204 bytes of the header are the associated data of the first chunk, so that they cannot be exchanged; secretstream
/// orders the chunks and marks the last one. The check of the header and the length at the end add no safety: they tell a
/// wrong key from a changed byte, and a cut from a change, before anything is decrypted.
///
/// Memory: about 5 MiB for a writer, 3 MiB for a reader, whatever the size. Errors: `BackupError` (changed, cut, swapped,
/// missing, wrong_key, newer_format), `unavailable`. Not thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "quarry/backup/keys.hpp"

namespace quarry::backup {

enum class PartKind : std::uint8_t { manifest = 1, database = 2, body = 3, base_backup = 4, wal_segment = 5 };

/// What a part belongs to: BLAKE2b of its backup's name, or the name of a body.
using Subject = std::array<unsigned char, 32>;
/// The subject of a name. Never fails.
Subject subject_of(std::string_view name);

/// BLAKE2b of a part's header. As it covers the part's own random key, it names the part and no copy of another one.
using PartCheck = std::array<unsigned char, 16>;

struct SealedSize {
  std::int64_t plain_bytes = 0;
  std::int64_t sealed_bytes = 0;
  PartCheck check{};
};

class SealedWriter {
 public:
  struct Options {
    PartKind kind = PartKind::database;
    Subject subject{};
    std::array<unsigned char, 16> salt{};  ///< of the folder; only a passphrase needs it
    int zstd_level = 3;
  };
  /// Makes the file, for its owner only; it must not be there.
  SealedWriter(const std::filesystem::path& file, const Keys& keys, const Options& options);
  SealedWriter(const SealedWriter&) = delete;
  SealedWriter& operator=(const SealedWriter&) = delete;
  ~SealedWriter();

  /// Appends to the part.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// The end; without it the file is cut. With `durable` it is on the disk when this returns, its name excepted.
  SealedSize finish(bool durable = true);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class SealedReader {
 public:
  /// Reads and checks the header, and the key. Throws `missing` when the file is not there.
  SealedReader(const std::filesystem::path& file, const Keys& keys, PartKind kind, const Subject& subject);
  SealedReader(const SealedReader&) = delete;
  SealedReader& operator=(const SealedReader&) = delete;
  ~SealedReader();

  /// Fills as much of `into` as there is; 0 at the end, which has then been proven to be the end. What was returned before
  /// is authentic, but may be followed by an error.
  std::size_t read(std::span<std::byte> into);
  const PartCheck& check() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The whole part; throws `corrupt` when it is longer than `bytes_max`.
std::string read_sealed(SealedReader& reader, std::size_t bytes_max);

}  // namespace quarry::backup
