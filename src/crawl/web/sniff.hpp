#pragma once
/// Whether a body of unknown type is HTML.

#include <string_view>

namespace quarry::crawl {

/// For what came without a Content-Type: by its first bytes, as the MIME Sniffing standard, section 7.1, has it
/// (https://mimesniff.spec.whatwg.org/#rules-for-identifying-an-unknown-mime-type).
bool looks_like_html(std::string_view body) noexcept;

}  // namespace quarry::crawl
