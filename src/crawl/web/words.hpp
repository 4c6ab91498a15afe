#pragma once
/// ASCII words, as HTML's token lists and header directives have them.

#include <algorithm>
#include <string_view>

namespace quarry::crawl {

inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

/// Without the white space at both ends.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\f\v";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

/// Calls `use` for every word of `text`, cut at white space and commas.
template <class F>
void each_word(std::string_view text, F use) {
  constexpr std::string_view separators = " \t\r\n\f,";
  for (auto at = text.find_first_not_of(separators); at != std::string_view::npos;
       at = text.find_first_not_of(separators, at)) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    use(text.substr(at, end - at));
    at = end;
  }
}

/// In either case.
inline bool has_word(std::string_view text, std::string_view wanted) {
  bool found = false;
  each_word(text, [&](std::string_view word) { found = found || same_word(word, wanted); });
  return found;
}

}  // namespace quarry::crawl
