#pragma once
/// A value encrypted for one place: XChaCha20-Poly1305 (RFC 8439 with the 192-bit nonce of draft-irtf-cfrg-xchacha), with a
/// random nonce and associated data that name the table, the column, the row, its key, the key's name and this format. So a
/// value that was copied to another row, or whose row was renamed, does not open.
///
/// The text is `1:CHECK:BASE64`: the format's version, the key's check value, and nonce and ciphertext in base64.

#include <string>
#include <string_view>

#include "quarry/core/id.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::system {

/// Where a value belongs.
struct SealedPlace {
  Uuid row;
  std::string_view setting;
};

/// Under the primary key.
std::string seal(const KeyRing& ring, const SealedPlace& place, std::string_view clear);

/// Throws `not_found` when the ring lacks the key, `denied` when its key of that name is another one, and `corrupt` when the
/// text is not what `seal` made for this place.
Secret unseal(const KeyRing& ring, std::string_view key_id, const SealedPlace& place, std::string_view sealed);

/// Throws as `unseal` does, for a wrong key only.
void check_key_of(const KeyRing& ring, std::string_view key_id, std::string_view sealed);

}  // namespace quarry::system
