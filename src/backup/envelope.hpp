#pragma once
/// A part's own key, wrapped by the keys of `quarry/backup/keys.hpp`.

#include <sodium.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "quarry/backup/keys.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::backup {

/// 32 secret bytes, overwritten when they end.
struct KeyBytes {
  std::array<unsigned char, 32> bytes{};
  KeyBytes() = default;
  KeyBytes(const KeyBytes&) = default;
  KeyBytes& operator=(const KeyBytes&) = default;
  ~KeyBytes() { sodium_memzero(bytes.data(), bytes.size()); }
};

enum class KeyMode : std::uint8_t { key_file = 1, passphrase = 2, public_key = 3 };

using KeyId = std::array<unsigned char, 8>;
using Salt = std::array<unsigned char, 16>;
using Digest = std::array<unsigned char, 32>;

struct Envelope {
  KeyMode mode = KeyMode::key_file;
  KeyId key_id{};            ///< 64 bits of BLAKE2b keyed with the wrapping key; of the public key itself in its mode
  Salt salt{};               ///< of a passphrase
  std::uint32_t passes = 0;  ///< of Argon2id
  std::uint64_t memory_bytes = 0;
  std::array<unsigned char, 80> wrapped{};  ///< nonce and secretbox (72 bytes, then zeros), or sealed box
};

/// `salt` is the folder's; only a passphrase needs it.
Envelope wrap(const Keys& keys, const KeyBytes& part_key, const Salt& salt);
/// Throws `BackupError`: `wrong_key`, or `changed` when the right key does not open it. `name` is the part's, for messages.
KeyBytes unwrap(const Keys& keys, const Envelope& envelope, std::string_view name);

/// A name for a body by which nobody without the key (or the public key) can tell which body it is.
Digest blob_name(const Keys& keys, const Salt& salt, std::string_view hash);

/// Every name that the body may have in the folder: under each key of a ring, and under its public half.
std::vector<Digest> blob_names(const Keys& keys, const Salt& salt, std::string_view hash);

/// BLAKE2b of `text`, keyed when `key` is not empty.
Digest blake2b(std::string_view text, std::string_view key = {});
std::string hex(std::string_view bytes);
template <std::size_t n>
std::string_view as_text(const std::array<unsigned char, n>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), n};
}

struct Keys::Impl {
  KeyMode mode = KeyMode::key_file;
  std::optional<system::KeyRing> ring{};
  Secret passphrase{};
  std::array<unsigned char, 32> public_key{};
  /// Argon2id is slow on purpose: once for each salt and cost.
  std::map<std::tuple<Salt, std::uint32_t, std::uint64_t>, KeyBytes> derived{};
  std::optional<KeyBytes> name_key{};
  std::vector<KeyBytes> name_keys{};  ///< of all keys; made when they are asked for first
  /// A public key does not open what it has sealed. So that a backup can be verified where it was made, its parts' keys are
  /// kept, each until it is used once.
  std::map<std::array<unsigned char, 80>, KeyBytes> sealed_now{};
};

}  // namespace quarry::backup
