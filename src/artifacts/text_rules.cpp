#include "artifacts/text_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::artifacts {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Bytes of the character that `text` begins with; 0 when it is broken (RFC 3629, the table in section 4) or zero.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first != 0 ? 1 : 0;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return 0;
  return std::all_of(text.begin() + 2, text.begin() + static_cast<std::ptrdiff_t>(length), is_continuation) ? length : 0;
}

}  // namespace

void check_text(std::string_view field, std::string_view text) {
  for (auto rest = text; !rest.empty();) {
    const auto length = character_length(rest);
    if (length == 0)
      throw_invalid(fmt::format("{} is not UTF-8 text, or holds a zero byte, at byte {}: decode or clean it first", field,
                                text.size() - rest.size()));
    rest.remove_prefix(length);
  }
}

void check_name(std::string_view field, std::string_view name, std::size_t characters_max) {
  check_text(field, name);
  if (name.empty() || store::first_characters(name, characters_max) != name)
    throw_invalid(fmt::format("{} '{}': it must have 1 to {} characters", field, name, characters_max));
}

char32_t take_character(std::string_view& text) noexcept {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t value = length == 1 ? first : first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  text.remove_prefix(length);
  return value;
}

}  // namespace quarry::artifacts
