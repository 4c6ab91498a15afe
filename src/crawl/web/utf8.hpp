#pragma once
/// UTF-8 that can be trusted: pages hold anything, PostgreSQL and JSON take valid UTF-8 only, and PostgreSQL no NUL.

#include <string>
#include <string_view>

namespace quarry::crawl {

/// Length of the longest prefix that is valid UTF-8 (RFC 3629: no overlong forms, no surrogates) and holds no NUL.
std::size_t clean_prefix(std::string_view text) noexcept;

/// Appends `text` with U+FFFD in place of every NUL and of every maximal broken sequence, as WHATWG's decoder does.
void append_clean(std::string& out, std::string_view text);

void append_code_point(std::string& out, unsigned long code_point);

/// The longest prefix of at most `bytes_max` bytes that does not cut a character of valid UTF-8 in two.
std::string_view cut_between_characters(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace quarry::crawl
