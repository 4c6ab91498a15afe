#pragma once
/// From any encoding of the web to clean UTF-8, by iconv of the C library.

#include <string>
#include <string_view>

namespace quarry::crawl {

/// Appends `bytes`, which are in `encoding` (its WHATWG name in lower case), as clean UTF-8. What cannot be decoded becomes
/// U+FFFD and never swallows ASCII that follows it; at most three bytes come of one. Where iconv's tables and WHATWG's
/// differ in meaning, WHATWG's wider encoding is taken: `gbk` is read as GB18030, `shift_jis` as Windows does, `euc-kr` as
/// Windows-949, `big5` with Hong Kong's characters.
///
/// An encoding that this system cannot decode is read as UTF-8.
void append_as_utf8(std::string& out, std::string_view bytes, std::string_view encoding);

}  // namespace quarry::crawl
