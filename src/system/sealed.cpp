#include "quarry/system/sealed.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <optional>
#include <vector>

#include "quarry/core/error.hpp"

namespace quarry::system {
namespace {

constexpr std::string_view version = "1";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

unsigned char* writable(std::string& text) { return static_cast<unsigned char*>(static_cast<void*>(text.data())); }
const unsigned char* readable(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

/// None of the parts holds a zero byte, so no two places have the same text.
std::string associated_data(const SealedPlace& place, std::string_view key_id) {
  constexpr char end = '\0';
  return fmt::format("quarry{0}{5}{0}{6}{0}{1}{0}{2}{0}{3}{0}{4}", end, to_string(place.row), place.name, key_id, version,
                     place.table, place.column);
}

std::string to_base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), readable(bytes), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(writable(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

struct SealedParts {
  std::string_view check, base64;
};

SealedParts parts_of(std::string_view sealed) {
  const auto first = sealed.find(':');
  const auto second = first == std::string_view::npos ? first : sealed.find(':', first + 1);
  if (second == std::string_view::npos || sealed.substr(0, first) != version)
    throw Error(ErrorCode::corrupt, "an encrypted value is not in a format that this program knows");
  return {sealed.substr(first + 1, second - first - 1), sealed.substr(second + 1)};
}

}  // namespace

std::string seal(const KeyRing& ring, const SealedPlace& place, std::string_view clear) {
  const auto data = associated_data(place, ring.primary());
  // From the system and not from the transaction's source, which may be seeded: a nonce that comes twice gives the value
  // away.
  std::string sealed(nonce_bytes + clear.size() + tag_bytes, '\0');
  randombytes_buf(sealed.data(), nonce_bytes);
  const auto nonce = sealed.substr(0, nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(writable(sealed) + nonce_bytes, nullptr, readable(clear), clear.size(),
                                             readable(data), data.size(), nullptr, readable(nonce),
                                             readable(ring.reveal(ring.primary())));
  return fmt::format("{}:{}:{}", version, ring.check_value(ring.primary()), to_base64(sealed));
}

void check_key_of(const KeyRing& ring, std::string_view key_id, std::string_view sealed) {
  if (ring.check_value(key_id) != parts_of(sealed).check)
    throw Error(ErrorCode::denied, fmt::format("the key ring's key '{}' is not the one that is encrypted with here; "
                                               "it has the same name and is another key",
                                               key_id));
}

Secret unseal(const KeyRing& ring, std::string_view key_id, const SealedPlace& place, std::string_view sealed) {
  check_key_of(ring, key_id, sealed);
  const auto bytes = from_base64(parts_of(sealed).base64);
  const auto data = associated_data(place, key_id);
  std::string clear;
  bool opened = false;
  if (bytes && bytes->size() >= nonce_bytes + tag_bytes) {
    const auto cipher = std::string_view(*bytes).substr(nonce_bytes);
    clear.resize(cipher.size() - tag_bytes);
    opened = crypto_aead_xchacha20poly1305_ietf_decrypt(writable(clear), nullptr, nullptr, readable(cipher), cipher.size(),
                                                        readable(data), data.size(), readable(*bytes),
                                                        readable(ring.reveal(key_id))) == 0;
  }
  if (!opened)
    throw Error(ErrorCode::corrupt, fmt::format("the {} of '{}' in {} was changed, or was encrypted for another row",
                                                place.column, place.name, place.table));
  return Secret(std::move(clear));
}

}  // namespace quarry::system
