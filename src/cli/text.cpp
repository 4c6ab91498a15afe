#include "cli/text.hpp"

#include <fmt/format.h>

#include <array>

#include "quarry/core/utf8.hpp"

namespace quarry::cli {
namespace {

struct Range {
  char32_t first, last;
};

constexpr std::array zero_width{Range{0x300, 0x36F},   Range{0x483, 0x489},   Range{0x591, 0x5BD},   Range{0x610, 0x61A},
                                Range{0x64B, 0x65F},   Range{0x200B, 0x200F}, Range{0x2060, 0x2064}, Range{0x20D0, 0x20F0},
                                Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF}};
constexpr std::array double_width{Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},
                                  Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
                                  Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
                                  Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1FAFF}, Range{0x20000, 0x3FFFD}};

template <std::size_t N>
bool in(char32_t code, const std::array<Range, N>& ranges) {
  for (const auto& range : ranges)
    if (code >= range.first && code <= range.last) return true;
  return false;
}

std::size_t width_of(char32_t code) { return in(code, zero_width) ? 0 : in(code, double_width) ? 2 : 1; }

constexpr std::string_view ellipsis = "\xE2\x80\xA6";

/// C0, DEL and C1, and the marks that turn the direction of text around (the Trojan Source attack).
bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_space(char32_t code) { return code == ' ' || (code >= 9 && code <= 13) || code == 0x2028 || code == 0x2029; }

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  bool space = false;
  while (!text.empty()) {
    const auto character = first_character(text);
    const auto bytes = text.substr(0, character.length);
    text.remove_prefix(character.length);
    if (character.valid && is_space(character.code)) {
      space = !result.empty();
      continue;
    }
    if (space) result += ' ';
    space = false;
    result += character.valid && !is_control(character.code) ? bytes : replacement_character;
  }
  return result;
}

std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    result += character.valid ? text.substr(0, character.length) : replacement_character;
    text.remove_prefix(character.length);
  }
  return result;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    width += character.valid ? width_of(character.code) : 1;
    text.remove_prefix(character.length);
  }
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t bytes = 0, width = 0;
  while (bytes < text.size()) {
    const auto character = first_character(text.substr(bytes));
    const auto next = character.valid ? width_of(character.code) : 1;
    if (width + next > columns - 1) break;
    width += next;
    bytes += character.length;
  }
  return std::string(text.substr(0, bytes)).append(ellipsis);
}

std::vector<std::string> in_lines(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines{""};
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    const auto word = text.substr(at, end - at);
    auto& line = lines.back();
    if (line.empty())
      line = word;
    else if (display_width(line) + 1 + display_width(word) <= columns)
      line.append(" ").append(word);
    else
      lines.emplace_back(word);
    at = end + 1;
  }
  return lines;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  if (number == 1) return fmt::format("1 {}", one);
  return many.empty() ? fmt::format("{} {}s", number, one) : fmt::format("{} {}", number, many);
}

std::string human_bytes(std::int64_t bytes) {
  constexpr std::array units{"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string human_duration(std::chrono::microseconds duration) {
  const auto us = duration.count();
  if (us < 1'000'000) return fmt::format("{} ms", us / 1000);
  if (us < 60'000'000) return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
  const auto seconds = us / 1'000'000;
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} d {:02} h", seconds / 86'400, seconds / 3600 % 24);
}

std::string human_time(Instant at) {
  auto text = to_iso8601(at);
  if (text.size() != 27) return text;
  text[10] = ' ';
  return text.substr(0, 19) + "Z";
}

}  // namespace quarry::cli
