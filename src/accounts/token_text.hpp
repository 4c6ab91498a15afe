#pragma once
/// Random secrets as text, and the digests that are stored instead of them.
///
/// A fast hash is right for secrets of 256 random bits: nobody can try them all. Argon2id would only make every request
/// slow.

#include <cstdint>
#include <string>
#include <string_view>

#include "quarry/core/random.hpp"

namespace quarry::accounts {

/// 0-9, A-Z, a-z: a double click takes the whole of it.
bool is_base62(std::string_view text) noexcept;

inline constexpr std::size_t secret_length = 43;
/// 256 random bits, as 43 digits of base 62.
std::string random_secret(Random& random);
/// 95 random bits, as 16 digits: unique without asking anybody.
std::string random_name(Random& random);

/// CRC-32 (that of zlib) of `text`, as six digits of base 62: a typing error is found without a database.
std::string checksum(std::string_view text);

/// In lower-case hexadecimal digits.
std::string sha256(std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);

/// In a time that does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace quarry::accounts
