#pragma once
/// A value encrypted for one place: XChaCha20-Poly1305 (RFC 8439 with the 192-bit nonce of draft-irtf-cfrg-xchacha), with a
/// random nonce and associated data that name the table, the column, the row, its key, the key's name and this format. So a
/// value that was copied to another row, or whose row was renamed, does not open.
///
/// The text is `1:CHECK:BASE64`: the format's version, the key's check value, and nonce and ciphertext in base64.
///
/// For the parts of the library that keep something sensitive: settings, and the payment provider's messages.
///
/// Errors: see `unseal`. Thread safety: pure functions.

#include <string>
#include <string_view>

#include "quarry/core/id.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::system {

/// Where a value belongs. None of the texts holds a zero byte.
struct SealedPlace {
  Uuid row;
  std::string_view name;  ///< of the setting, or whatever else tells people which row it is
  std::string_view table = "system_config";
  std::string_view column = "value";
};

/// Under the primary key.
std::string seal(const KeyRing& ring, const SealedPlace& place, std::string_view clear);

/// Throws `not_found` when the ring lacks the key, `denied` when its key of that name is another one, and `corrupt` when the
/// text is not what `seal` made for this place.
Secret unseal(const KeyRing& ring, std::string_view key_id, const SealedPlace& place, std::string_view sealed);

/// Throws as `unseal` does, for a wrong key only.
void check_key_of(const KeyRing& ring, std::string_view key_id, std::string_view sealed);

}  // namespace quarry::system
