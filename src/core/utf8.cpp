#include "quarry/core/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace quarry {
namespace {

/// Eight bytes at once: most text is ASCII. True if none is zero or above 0x7F (Hacker's Delight, 6-1: a zero byte borrows
/// into its top bit).
bool plain_ascii(const char* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  constexpr std::uint64_t high_bits = 0x8080808080808080, ones = 0x0101010101010101;
  return ((word | (word - ones)) & high_bits) == 0;
}

constexpr bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

/// By the table of well-formed sequences (Unicode 15, table 3-7).
Character first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto first = byte(0);
  if (first < 0x80) return {first, 1, true};
  std::size_t length = 0;
  unsigned low = 0x80, high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF)
    length = 2;
  else if (first >= 0xE0 && first <= 0xEF)
    length = 3;
  else if (first >= 0xF0 && first <= 0xF4)
    length = 4;
  else
    return {};
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) < low || byte(i) > high) return {0, i, false};
    low = 0x80, high = 0xBF;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  return {code, length, true};
}

std::size_t clean_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    while (at + 8 <= text.size() && plain_ascii(text.data() + at)) at += 8;
    if (at == text.size()) break;
    const auto character = first_character(text.substr(at));
    if (character.code == 0) break;
    at += character.length;
  }
  return at;
}

std::size_t count_clean(std::string_view text) noexcept {
  std::size_t count = 0;
  while (!text.empty()) {
    if (text.size() >= 8 && plain_ascii(text.data())) {
      text.remove_prefix(8);
      count += 8;
      continue;
    }
    const auto character = first_character(text);
    if (character.code == 0) return std::string_view::npos;
    text.remove_prefix(character.length);
    ++count;
  }
  return count;
}

void append_clean(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto good = clean_prefix(text);
    out += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) return;
    out += replacement_character;
    text.remove_prefix(first_character(text).length);
  }
}

void append_code_point(std::string& out, unsigned long code_point) {
  const auto add = [&](unsigned long byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  const auto tail = [&](unsigned shift) { add(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point == 0 || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
    out += replacement_character;
  else if (code_point < 0x80)
    add(code_point);
  else if (code_point < 0x800)
    add(0xC0 | code_point >> 6), tail(0);
  else if (code_point < 0x10000)
    add(0xE0 | code_point >> 12), tail(6), tail(0);
  else
    add(0xF0 | code_point >> 18), tail(12), tail(6), tail(0);
}

std::string_view cut_at_character(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && is_continuation(text[bytes_max])) --bytes_max;
  return text.substr(0, bytes_max);
}

}  // namespace quarry
