#include "cache/keys.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::cache {
namespace {

constexpr std::string_view own_prefix = "quarry.";

}  // namespace

void check_key(std::string_view key) {
  store::check_text("the key", key, 1, 255);
  if (key.starts_with(own_prefix))
    throw_invalid(fmt::format("the key '{}': keys that begin with '{}' are the cache's own", key, own_prefix));
}

void check_value(std::string_view value, std::size_t bytes_max) {
  if (value.size() > bytes_max)
    throw_invalid(fmt::format("the value has {} bytes: at most {} are kept", value.size(), bytes_max));
  if (!store::count_characters(value)) throw_invalid("the value is not UTF-8 text without zero bytes");
}

std::string end_of_prefix(std::string_view prefix) {
  // In UTF-8 no byte is above 0xF4, so that this text is behind every one that goes on, and in front of every other one; as
  // text it must be UTF-8 itself, which the last code point of all is.
  return std::string(prefix) + "\xF4\x8F\xBF\xBF";
}

std::string lease_key(std::string_view key) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(key.data()), key.size());
  std::string text(own_prefix);
  text += "lease.";
  for (const auto byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace quarry::cache
