#pragma once
/// UTF-8 that can be trusted: pages, arguments and files hold anything; PostgreSQL and JSON take valid UTF-8 only, and
/// PostgreSQL no zero byte.
///
/// Valid is what RFC 3629 says: no overlong forms, no surrogates, nothing beyond U+10FFFF. "Clean" is valid and without zero
/// bytes. What is broken counts as WHATWG's decoder counts it: one piece for each maximal beginning of a character.
///
/// Errors: none. Thread safety: pure functions.

#include <cstddef>
#include <string>
#include <string_view>

namespace quarry {

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

struct Character {
  char32_t code = 0;       ///< 0 when it is broken (or is a zero)
  std::size_t length = 1;  ///< bytes of the character, or of the broken piece
  bool valid = false;
};

/// The character that `text` begins with. `text` is not empty.
Character first_character(std::string_view text) noexcept;

/// Length of the longest clean prefix.
std::size_t clean_prefix(std::string_view text) noexcept;

/// Number of characters; `npos` for what is not clean.
std::size_t count_clean(std::string_view text) noexcept;

/// Appends `text` with U+FFFD in place of every zero byte and every broken piece.
void append_clean(std::string& out, std::string_view text);

/// Appends U+FFFD for what is no character: zero, surrogates, numbers above U+10FFFF.
void append_code_point(std::string& out, unsigned long code_point);

/// The longest start of `text` that has at most `bytes_max` bytes and does not end inside a character of valid UTF-8.
std::string_view cut_at_character(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace quarry
