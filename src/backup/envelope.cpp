#include "backup/envelope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backup/key_derivation.hpp"
#include "quarry/backup/error.hpp"

namespace quarry::backup {
namespace {

constexpr std::size_t nonce_bytes = crypto_secretbox_NONCEBYTES;
// What a header may ask for, so that a forged one does not eat the machine.
constexpr PassphraseCost cost_max{.passes = 64, .memory_bytes = 1U << 30};

void seal_with(const KeyBytes& wrapping, const KeyBytes& part_key, Envelope& envelope) {
  envelope.key_id = id_of(wrapping);
  randombytes_buf(envelope.wrapped.data(), nonce_bytes);
  crypto_secretbox_easy(envelope.wrapped.data() + nonce_bytes, part_key.bytes.data(), part_key.bytes.size(),
                        envelope.wrapped.data(), wrapping.bytes.data());
}

bool open_with(const KeyBytes& wrapping, const Envelope& envelope, KeyBytes& part_key) {
  return crypto_secretbox_open_easy(part_key.bytes.data(), envelope.wrapped.data() + nonce_bytes,
                                    part_key.bytes.size() + crypto_secretbox_MACBYTES, envelope.wrapped.data(),
                                    wrapping.bytes.data()) == 0;
}

std::string_view name_of(KeyMode mode) {
  switch (mode) {
    case KeyMode::key_file:
      return "a key file";
    case KeyMode::passphrase:
      return "a passphrase";
    case KeyMode::public_key:
      return "a public key";
  }
  return "an unknown kind of key";
}

[[noreturn]] void wrong_key(const Envelope& envelope, std::string_view name) {
  throw BackupError(Damage::wrong_key,
                    fmt::format("'{}' was sealed with {} (id {}), which is not the one given: name the right one", name,
                                name_of(envelope.mode), hex(as_text(envelope.key_id))));
}

/// The ring's key that the envelope names.
bool open_with_ring(const system::KeyRing& ring, const Envelope& envelope, KeyBytes& part_key, bool& found) {
  for (const auto& id : ring.ids()) {
    if (envelope.mode == KeyMode::key_file) {
      const auto wrapping = wrapping_key(ring.reveal(id));
      if (id_of(wrapping) != envelope.key_id) continue;
      found = true;
      return open_with(wrapping, envelope, part_key);
    }
    const auto secret = secret_half(ring.reveal(id));
    const auto open = public_half(secret);
    if (id_of_public(open) != envelope.key_id) continue;
    found = true;
    return crypto_box_seal_open(part_key.bytes.data(), envelope.wrapped.data(), part_key.bytes.size() + crypto_box_SEALBYTES,
                                open.data(), secret.bytes.data()) == 0;
  }
  return false;
}

}  // namespace

Envelope wrap(const Keys& keys, const KeyBytes& part_key, const Salt& salt) {
  auto& impl = keys.impl();
  Envelope envelope;
  envelope.mode = impl.mode;
  switch (impl.mode) {
    case KeyMode::key_file:
      seal_with(wrapping_key(impl.ring->reveal(impl.ring->primary())), part_key, envelope);
      break;
    case KeyMode::passphrase: {
      const PassphraseCost cost;
      envelope.salt = salt;
      envelope.passes = cost.passes;
      envelope.memory_bytes = cost.memory_bytes;
      seal_with(passphrase_key(impl, salt, cost), part_key, envelope);
      break;
    }
    case KeyMode::public_key:
      envelope.key_id = id_of_public(impl.public_key);
      crypto_box_seal(envelope.wrapped.data(), part_key.bytes.data(), part_key.bytes.size(), impl.public_key.data());
      impl.sealed_now[envelope.wrapped] = part_key;
      break;
  }
  return envelope;
}

KeyBytes unwrap(const Keys& keys, const Envelope& envelope, std::string_view name) {
  auto& impl = keys.impl();
  KeyBytes part_key;
  bool found = false, opened = false;
  if (const auto known = impl.sealed_now.find(envelope.wrapped); known != impl.sealed_now.end()) {
    part_key = known->second;
    impl.sealed_now.erase(known);
    return part_key;
  }
  if (impl.mode == KeyMode::public_key)
    throw BackupError(Damage::wrong_key, "a public key seals and does not open: give the key file it was made from");
  if (impl.mode == KeyMode::key_file && envelope.mode != KeyMode::passphrase) {
    opened = open_with_ring(*impl.ring, envelope, part_key, found);
  } else if (impl.mode == KeyMode::passphrase && envelope.mode == KeyMode::passphrase) {
    if (envelope.passes < 1 || envelope.passes > cost_max.passes || envelope.memory_bytes < 8192 ||
        envelope.memory_bytes > cost_max.memory_bytes)
      throw BackupError(Damage::changed, fmt::format("'{}' asks for a passphrase's cost that no backup has", name));
    const auto& wrapping = passphrase_key(impl, envelope.salt, {envelope.passes, envelope.memory_bytes});
    found = id_of(wrapping) == envelope.key_id;
    opened = found && open_with(wrapping, envelope, part_key);
  }
  if (!found) wrong_key(envelope, name);
  if (!opened) throw BackupError(Damage::changed, fmt::format("the key in '{}' was changed", name));
  return part_key;
}

namespace {

KeyBytes name_key_from(std::string_view secret) {
  KeyBytes key;
  key.bytes = blake2b("quarry backup 1: names of bodies", secret);
  return key;
}

}  // namespace

Digest blob_name(const Keys& keys, const Salt& salt, std::string_view hash) {
  auto& impl = keys.impl();
  if (!impl.name_key) {
    if (impl.mode == KeyMode::key_file)
      impl.name_key = name_key_from(as_text(wrapping_key(impl.ring->reveal(impl.ring->primary())).bytes));
    else if (impl.mode == KeyMode::passphrase)
      impl.name_key = name_key_from(as_text(passphrase_key(impl, salt, {}).bytes));
    else
      impl.name_key = name_key_from(as_text(impl.public_key));
  }
  return blake2b(hash, as_text(impl.name_key->bytes));
}

std::vector<Digest> blob_names(const Keys& keys, const Salt& salt, std::string_view hash) {
  auto& impl = keys.impl();
  if (impl.mode != KeyMode::key_file) return {blob_name(keys, salt, hash)};
  if (impl.name_keys.empty())
    for (const auto& id : impl.ring->ids()) {
      impl.name_keys.push_back(name_key_from(as_text(wrapping_key(impl.ring->reveal(id)).bytes)));
      impl.name_keys.push_back(name_key_from(as_text(public_half(secret_half(impl.ring->reveal(id))))));
    }
  std::vector<Digest> names;
  for (const auto& key : impl.name_keys) names.push_back(blake2b(hash, as_text(key.bytes)));
  return names;
}

}  // namespace quarry::backup
