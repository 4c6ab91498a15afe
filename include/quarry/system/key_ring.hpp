#pragma once
/// The keys that sensitive settings are encrypted with: several by name, one of them primary.
///
///     auto ring = system::KeyRing::from_file("/etc/quarry/keys");
///     system::set(tx, {.key = "smtp_password", .value = password, .is_sensitive = true}, &ring);
///
/// A key is 256 bits, and is written `ID:BASE64:CHECK`; keys stand apart by white space or commas, and the first one is the
/// primary, under which everything new is encrypted. The others open what was encrypted before, until
/// `system::rotate_keys` has brought it under the primary. A file may have lines that begin with `#`; it must be the
/// caller's (or root's) and closed to everybody else, mode 0600.
///
/// CHECK is the key's check value: 64 bits of BLAKE2b keyed with the key itself, which tell nothing of the key. It stands
/// in the file, so that a mistyped key is told when it is read, and in each encrypted value, so that another key of the same
/// name is told before anything is opened with it. In the file it may be left out.
///
/// Errors: `invalid` (not a key ring; the message says where, and shows no key), `denied` (the file is open to others),
/// `not_found`, `unavailable`. Move-only; its memory is overwritten when it ends. Not thread-safe, but for reading.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/secret.hpp"

namespace quarry::system {

inline constexpr std::size_t key_bytes = 32;

class KeyRing {
 public:
  /// Throws `invalid`; at least one key must be there.
  static KeyRing parse(std::string_view text);
  /// Reads a key file.
  static KeyRing from_file(const std::filesystem::path& file);
  /// One new random key.
  static KeyRing generate(const std::string& id);

  /// A new random key, which becomes the primary one. Throws `invalid` when the name is taken or is none.
  void add_primary(const std::string& id);
  /// What `parse` reads.
  Secret to_text() const;
  /// Replaces the file in one step; its mode is 0600. Throws `unavailable`.
  void write_file(const std::filesystem::path& file) const;

  const std::string& primary() const noexcept { return keys_.front().id; }
  /// The names, the primary first.
  std::vector<std::string> ids() const;
  /// Whether there is a key of this name.
  bool has(std::string_view id) const noexcept;
  /// 16 hexadecimal digits. Throws `not_found`.
  const std::string& check_value(std::string_view id) const;
  /// The key's 32 bytes. Throws `not_found` and names the id.
  std::string_view reveal(std::string_view id) const;

 private:
  struct Key {
    std::string id;
    Secret bytes;
    std::string check;
  };
  KeyRing() = default;
  static Key make_key(std::string_view id, Secret bytes);
  const Key& get(std::string_view id) const;

  std::vector<Key> keys_;
};

}  // namespace quarry::system
