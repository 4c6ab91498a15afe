#pragma once
/// From what a user holds to the keys that wrap.

#include "backup/envelope.hpp"

namespace quarry::backup {

/// Throws `unavailable` when libsodium cannot start.
void start_sodium();

/// Of a ring's key: for secretbox.
KeyBytes wrapping_key(std::string_view ring_key);
/// Of a ring's key: for X25519.
KeyBytes secret_half(std::string_view ring_key);
std::array<unsigned char, 32> public_half(const KeyBytes& secret);

struct PassphraseCost {
  std::uint32_t passes = 8;
  std::uint64_t memory_bytes = 32U << 20;
};
/// Argon2id; kept in `impl`. Throws `unavailable` when there is no memory.
const KeyBytes& passphrase_key(Keys::Impl& impl, const Salt& salt, const PassphraseCost& cost);

KeyId id_of(const KeyBytes& wrapping);
KeyId id_of_public(const std::array<unsigned char, 32>& key);

}  // namespace quarry::backup
