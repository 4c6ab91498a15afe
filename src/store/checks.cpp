#include "quarry/store/checks.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <cstring>

#include "quarry/core/error.hpp"

namespace quarry::store {
namespace {

constexpr bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes of the character that `text` begins with; 0 when it begins with none (RFC 3629: no overlong forms, no surrogates).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto first = byte(0);
  if (first < 0x80) return first == 0 ? 0 : 1;
  std::size_t length = 0;
  unsigned low = 0x80, high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF)
    length = 2;
  else if (first >= 0xE0 && first <= 0xEF)
    length = 3;
  else if (first >= 0xF0 && first <= 0xF4)
    length = 4;
  else
    return 0;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  return length;
}

boost::json::value parse(std::string_view field, const std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    throw_invalid(fmt::format("{} has {} bytes: at most {} are stored", field, text.size(), bytes_max));
  if (!count_characters(text)) throw_invalid(fmt::format("{} is not UTF-8 text", field));
  boost::json::error_code error;
  auto value = boost::json::parse(text, error);
  if (error) throw_invalid(fmt::format("{} is not JSON: {}", field, error.message()));
  return value;
}

/// Whether the eight bytes are ASCII without a zero among them (Hacker's Delight, 6-1: a zero byte borrows into its top
/// bit).
bool is_plain(std::string_view text) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text.data(), sizeof bytes);
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  return ((bytes | (bytes - ones)) & tops) == 0;
}

}  // namespace

std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    // Most text is plain: eight characters at a time.
    if (text.size() >= 8 && is_plain(text)) {
      text.remove_prefix(8);
      count += 8;
      continue;
    }
    const auto length = character_length(text);
    if (length == 0) return std::nullopt;
    text.remove_prefix(length);
    ++count;
  }
  return count;
}

void check_text(std::string_view field, std::string_view text, std::size_t least, std::size_t most) {
  const auto count = count_characters(text);
  if (!count) throw_invalid(fmt::format("{} is not UTF-8 text without zero bytes", field));
  if (*count < least || *count > most)
    throw_invalid(fmt::format("{} has {} characters: it must have {} to {}", field, *count, least, most));
}

void check_json_object(std::string_view field, const std::string& text, std::size_t bytes_max) {
  if (!parse(field, text, bytes_max).is_object())
    throw_invalid(fmt::format("{} is JSON, but not an object: {{...}}", field));
}

void check_json(std::string_view field, const std::string& text, std::size_t bytes_max) { parse(field, text, bytes_max); }

std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (!is_continuation(text[at]) && count-- == 0) break;
  return text.substr(0, at);
}

std::string_view cut_at_character(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && is_continuation(text[bytes_max])) --bytes_max;
  return text.substr(0, bytes_max);
}

}  // namespace quarry::store
