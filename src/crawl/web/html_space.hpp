#pragma once
/// What HTML, CSS and HTTP call white space (infra.spec.whatwg.org, ASCII whitespace): no byte of a character beyond ASCII
/// is one.

namespace quarry::crawl {

constexpr bool is_html_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

}  // namespace quarry::crawl
