#pragma once
/// From a page's bytes to clean UTF-8.

#include <string>
#include <string_view>

namespace quarry::crawl {

struct Decoded {
  std::string_view text;  ///< the input itself if it was clean already, else `storage`
  std::string storage;
  std::string encoding;  ///< WHATWG name, lower case
};

/// `charset` is what the Content-Type header says, or empty. Order of trust: byte order mark, header, `<meta>`, what the
/// bytes look like. The result refers to `bytes` or to itself: keep both, and do not move it.
void decode(std::string_view bytes, std::string_view charset, Decoded& out);

}  // namespace quarry::crawl
