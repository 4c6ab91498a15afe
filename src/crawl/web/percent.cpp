#include "crawl/web/percent.hpp"

#include <array>
#include <cstdint>

namespace quarry::crawl {
namespace {

constexpr std::uint8_t unreserved = 1, in_path = 2, in_query = 4;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&](std::string_view characters, std::uint8_t bits) {
    for (const char c : characters) classes[static_cast<unsigned char>(c)] |= bits;
  };
  constexpr std::uint8_t everywhere = in_path | in_query;
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", unreserved | everywhere);
  add("!$&'()*+,;=:@/", everywhere);
  add("?", in_query);
  return classes;
}
constexpr auto classes = make_classes();

bool may_stand(char c, UrlPart part) {
  return (classes[static_cast<unsigned char>(c)] & (part == UrlPart::path ? in_path : in_query)) != 0;
}

void append_encoded(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// The character that `%xx` at `at` stands for, or -1.
int encoded_at(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

}  // namespace

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_normalized(std::string& out, std::string_view text, UrlPart part) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (const int decoded = encoded_at(text, i); decoded >= 0) {
      const char plain = static_cast<char>(decoded);
      if (classes[static_cast<unsigned char>(plain)] & unreserved)
        out += plain;
      else
        append_encoded(out, plain);
      i += 2;
    } else if (may_stand(c, part)) {
      out += c;
    } else {
      append_encoded(out, c);
    }
  }
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int decoded = encoded_at(text, i);
    out += decoded < 0 ? text[i] : static_cast<char>(decoded);
    if (decoded >= 0) i += 2;
  }
  return out;
}

}  // namespace quarry::crawl
