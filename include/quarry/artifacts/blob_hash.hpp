#pragma once
/// The name of a body: the SHA-256 of its bytes, before any compression.
///
/// 32 bytes: a BLOB in SQLite, `bytea` in PostgreSQL, 64 lower-case hexadecimal digits in text, in JSON and on disk.
///
/// Errors: `invalid` for a text that is no hash, `corrupt` for a stored one of another length. Thread safety: values and
/// pure functions.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "quarry/sql/codec.hpp"

namespace quarry::artifacts {

struct BlobHash {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const BlobHash&, const BlobHash&) = default;
};

/// SHA-256 of `body`.
BlobHash hash_of(std::span<const std::byte> body);

/// 64 lower-case hexadecimal digits.
std::string to_string(const BlobHash& hash);

/// Reads 64 hexadecimal digits in either case. Throws `invalid` and names the text.
BlobHash parse_blob_hash(std::string_view text);

}  // namespace quarry::artifacts

template <>
struct quarry::sql::Codec<quarry::artifacts::BlobHash> {
  static constexpr Kind kind = Kind::bytes;
  static Param to_param(const artifacts::BlobHash& hash) {
    return Param::make_view(kind, hash.bytes.data(), hash.bytes.size());
  }
  /// A column of another length is `corrupt`.
  static artifacts::BlobHash read(const Cursor& c, int column);
};

/// @cond
template <>
struct std::hash<quarry::artifacts::BlobHash> {
  std::size_t operator()(const quarry::artifacts::BlobHash& blob) const noexcept {
    // Any eight bytes of a SHA-256 are as good as a hash of it.
    std::size_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | blob.bytes[i];
    return value;
  }
};
/// @endcond
