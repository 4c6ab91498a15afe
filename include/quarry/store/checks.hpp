#pragma once
/// The limits of the schema, told before an engine has to: both refuse the same input with the same words.
///
/// Errors: `invalid`. Thread safety: pure functions.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace quarry::store {

/// Number of characters; nothing for what is not UTF-8 or holds a zero byte, which PostgreSQL cannot store.
std::optional<std::size_t> count_characters(std::string_view text);

/// Throws `invalid`, naming `field`, unless `text` has from `least` to `most` characters.
void check_text(std::string_view field, std::string_view text, std::size_t least, std::size_t most);

/// Throws `invalid`, naming `field`, unless `text` is a JSON object of at most `bytes_max`.
void check_json_object(std::string_view field, const std::string& text, std::size_t bytes_max);
/// The same for any JSON value.
void check_json(std::string_view field, const std::string& text, std::size_t bytes_max);

/// The first `count` characters of valid UTF-8.
std::string_view first_characters(std::string_view text, std::size_t count) noexcept;

}  // namespace quarry::store
