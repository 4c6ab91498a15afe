#pragma once
/// An API key as text: `qry_<keyid>_<secret><crc>`.
///
/// | part   |                                                                                              |
/// |--------|----------------------------------------------------------------------------------------------|
/// | qry_   | says whose it is, to scanners of leaked secrets, too; `_` is taken by a double click          |
/// | keyid  | 16 digits of base 62: public, unique, what the key is found by                                |
/// | secret | 43 digits of base 62: 256 random bits                                                         |
/// | crc    | 6 digits of base 62: CRC-32 of all before it, so that a typing error is refused without a database |
///
/// The form follows GitHub's ("Behind GitHub's new authentication token formats", 2021).
///
/// Errors: none but those of the source of randomness. Thread safety: pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/random.hpp"
#include "quarry/core/secret.hpp"

namespace quarry::accounts {

inline constexpr std::size_t key_text_length = 4 + 16 + 1 + 43 + 6;

/// Views into the text that was parsed.
struct KeyParts {
  std::string_view key_id;
  std::string_view secret;
};

/// Nothing for what is no key, or has a typing error. Asks nobody whether there is such a key.
std::optional<KeyParts> parse_key(std::string_view text) noexcept;

/// A new key.
Secret make_key_text(Random& random);

}  // namespace quarry::accounts
