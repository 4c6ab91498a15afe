#include "quarry/core/id.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool dash_before(std::size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_string(const Uuid& id) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i)) text += '-';
    text += hex_digits[id.bytes[i] >> 4];
    text += hex_digits[id.bytes[i] & 15];
  }
  return text;
}

Uuid parse_uuid(std::string_view text) {
  Uuid id;
  std::size_t at = 0;
  bool good = text.size() == 36;
  for (std::size_t i = 0; good && i < id.bytes.size(); ++i) {
    if (dash_before(i)) good = text[at++] == '-';
    const int high = good ? hex_value(text[at]) : -1;
    const int low = good ? hex_value(text[at + 1]) : -1;
    good = high >= 0 && low >= 0;
    if (good) id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  if (!good)
    throw_invalid(fmt::format("'{}' is not an id: 36 characters such as 01890a5d-ac96-774b-bcce-b302099a8057", text));
  return id;
}

Uuid make_uuid_v7(Instant now, Random& random) {
  const auto ms = static_cast<std::uint64_t>(now.us / 1000);
  // The fraction of the millisecond, scaled to 12 bits.
  const auto fraction = static_cast<std::uint64_t>(now.us % 1000) * 4096 / 1000;
  const std::uint64_t high = ms << 16 | 0x7000 | fraction;
  const std::uint64_t low = (random.next() >> 2) | 0x8000'0000'0000'0000;
  Uuid id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return id;
}

}  // namespace quarry
