#include "cache/keys.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::cache {
namespace {

constexpr std::string_view own_prefix = "quarry.";
constexpr std::string_view lease_start = "quarry.lease.";
constexpr std::size_t key_characters_max = 255;
constexpr std::size_t hash_characters = 2 * crypto_hash_sha256_BYTES;
/// So much of a key is told by its lease's key in any case.
constexpr std::size_t told_characters = key_characters_max - lease_start.size() - hash_characters;

std::string hex_hash(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::string hex;
  for (const auto byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

bool is_own_key(std::string_view key) noexcept { return key.starts_with(own_prefix); }

void check_key(std::string_view key) {
  store::check_text("the key", key, 1, key_characters_max);
  if (is_own_key(key))
    throw_invalid(fmt::format("the key '{}': keys that begin with '{}' are the cache's own", key, own_prefix));
}

void check_value(std::string_view value, std::size_t bytes_max) {
  if (value.size() > bytes_max)
    throw_invalid(fmt::format("the value has {} bytes: at most {} are kept", value.size(), bytes_max));
  if (!store::count_characters(value)) throw_invalid("the value is not UTF-8 text without zero bytes");
}

std::string end_of_prefix(std::string_view prefix) {
  // The last code point of all, which sorts last by bytes too, more often than a key can hold it.
  std::string end(prefix);
  for (std::size_t i = 0; i < key_characters_max; ++i) end += "\xF4\x8F\xBF\xBF";
  return end;
}

std::string lease_key(std::string_view key) {
  const auto characters = store::count_characters(key).value_or(key_characters_max);
  if (characters + lease_start.size() <= key_characters_max) return std::string(lease_start) + std::string(key);
  return lease_prefix(key) + hex_hash(key);
}

std::string lease_prefix(std::string_view prefix) {
  return std::string(lease_start) + std::string(store::first_characters(prefix, told_characters));
}

}  // namespace quarry::cache
