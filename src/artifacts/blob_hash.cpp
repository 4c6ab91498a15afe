#include "quarry/artifacts/blob_hash.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <cstring>

#include "quarry/core/error.hpp"

namespace quarry::artifacts {

BlobHash hash_of(std::span<const std::byte> body) {
  BlobHash hash;
  static_assert(crypto_hash_sha256_BYTES == sizeof hash.bytes);
  crypto_hash_sha256(hash.bytes.data(), reinterpret_cast<const unsigned char*>(body.data()), body.size());
  return hash;
}

std::string to_string(const BlobHash& hash) {
  std::string hex(2 * hash.bytes.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash.bytes.data(), hash.bytes.size());
  hex.pop_back();
  return hex;
}

BlobHash parse_blob_hash(std::string_view text) {
  BlobHash hash;
  std::size_t length = 0;
  const char* end = nullptr;
  const int code = sodium_hex2bin(hash.bytes.data(), hash.bytes.size(), text.data(), text.size(), nullptr, &length, &end);
  if (code != 0 || length != hash.bytes.size() || end != text.data() + text.size())
    throw_invalid(fmt::format("'{}' is not the name of a blob: it has 64 hexadecimal digits", text.substr(0, 80)));
  return hash;
}

}  // namespace quarry::artifacts

quarry::artifacts::BlobHash quarry::sql::Codec<quarry::artifacts::BlobHash>::read(const Cursor& c, int column) {
  const auto view = c.get_bytes(column);
  artifacts::BlobHash hash;
  if (view.size() != hash.bytes.size())
    throw Error(ErrorCode::corrupt,
                fmt::format("column '{}' holds a hash that is not 32 bytes long", c.column_name(column)));
  std::memcpy(hash.bytes.data(), view.data(), view.size());
  return hash;
}
