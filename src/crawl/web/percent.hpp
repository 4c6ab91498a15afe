#pragma once
/// Percent-encoding, normalised as RFC 3986, 6.2.2 says.

#include <string>
#include <string_view>

namespace quarry::crawl {

/// Which characters may stand for themselves.
enum class UrlPart { path, query };

/// Appends `text` with unreserved characters decoded, hexadecimal digits in upper case, and everything that may not stand
/// for itself encoded. Applying it twice changes nothing more.
void append_normalized(std::string& out, std::string_view text, UrlPart part);

/// Decodes every `%xx`; leaves a stray `%` as it is.
std::string percent_decoded(std::string_view text);

/// -1 if it is none.
int hex_digit(char c) noexcept;

}  // namespace quarry::crawl
