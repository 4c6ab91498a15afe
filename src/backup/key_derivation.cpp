#include "backup/key_derivation.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"

namespace quarry::backup {
namespace {

template <std::size_t n>
KeyId first_eight(const std::array<unsigned char, n>& digest) {
  KeyId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

KeyBytes derive(std::string_view key, std::string_view purpose) {
  KeyBytes result;
  result.bytes = blake2b(purpose, key);
  return result;
}

}  // namespace

void start_sodium() {
  if (sodium_init() < 0) throw Error(ErrorCode::unavailable, "libsodium does not start: the system gives no randomness");
}

Digest blake2b(std::string_view text, std::string_view key) {
  Digest digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     key.empty() ? nullptr : reinterpret_cast<const unsigned char*>(key.data()), key.size());
  return digest;
}

std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

KeyBytes wrapping_key(std::string_view ring_key) { return derive(ring_key, "quarry backup 1: wrap"); }
KeyBytes secret_half(std::string_view ring_key) { return derive(ring_key, "quarry backup 1: box"); }

std::array<unsigned char, 32> public_half(const KeyBytes& secret) {
  std::array<unsigned char, 32> key{};
  crypto_scalarmult_base(key.data(), secret.bytes.data());
  return key;
}

const KeyBytes& passphrase_key(Keys::Impl& impl, const Salt& salt, const PassphraseCost& cost) {
  const auto place = std::tuple(salt, cost.passes, cost.memory_bytes);
  if (const auto known = impl.derived.find(place); known != impl.derived.end()) return known->second;
  KeyBytes key;
  const auto text = impl.passphrase.reveal();
  if (crypto_pwhash(key.bytes.data(), key.bytes.size(), text.data(), text.size(), salt.data(), cost.passes,
                    static_cast<std::size_t>(cost.memory_bytes), crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw Error(ErrorCode::unavailable, "there is not enough memory to derive a key from the passphrase");
  return impl.derived.emplace(place, key).first->second;
}

KeyId id_of(const KeyBytes& wrapping) { return first_eight(blake2b("quarry backup 1: id", as_text(wrapping.bytes))); }
KeyId id_of_public(const std::array<unsigned char, 32>& key) { return first_eight(blake2b(as_text(key))); }

}  // namespace quarry::backup
