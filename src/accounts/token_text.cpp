#include "accounts/token_text.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <span>

namespace quarry::accounts {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `count` digits of the number whose 32-bit limbs are given, the highest first. Uses the limbs up.
std::string to_base62(std::span<std::uint32_t> limbs, std::size_t count) {
  std::string text(count, '0');
  for (std::size_t place = count; place-- > 0;) {
    std::uint64_t remainder = 0;
    for (auto& limb : limbs) {
      const auto value = remainder << 32 | limb;
      limb = static_cast<std::uint32_t>(value / digits.size());
      remainder = value % digits.size();
    }
    text[place] = digits[remainder];
  }
  return text;
}

template <std::size_t Limbs>
std::string random_base62(Random& random, std::size_t count) {
  std::array<std::uint32_t, Limbs> limbs{};
  for (std::size_t i = 0; i < Limbs; i += 2) {
    const auto bits = random.next();
    limbs[i] = static_cast<std::uint32_t>(bits >> 32);
    if (i + 1 < Limbs) limbs[i + 1] = static_cast<std::uint32_t>(bits);
  }
  auto text = to_base62(limbs, count);
  sodium_memzero(limbs.data(), sizeof limbs);
  return text;
}

template <std::size_t N>
std::string to_hex(const std::array<unsigned char, N>& bytes) {
  std::array<char, 2 * N + 1> text{};
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  return text.data();
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

bool is_base62(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return digits.find(c) != std::string_view::npos; });
}

std::string random_secret(Random& random) { return random_base62<8>(random, secret_length); }
std::string random_name(Random& random) { return random_base62<4>(random, 16); }

std::string checksum(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  std::array<std::uint32_t, 1> limbs{crc.checksum()};
  return to_base62(limbs, 6);
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), bytes_of(text), text.size());
  return to_hex(hash);
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> hash{};
  crypto_auth_hmacsha256_state state;
  // libsodium hands the key on to memcpy, which takes no null pointer, not even for no bytes.
  crypto_auth_hmacsha256_init(&state, bytes_of(key.empty() ? std::string_view{""} : key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(text), text.size());
  crypto_auth_hmacsha256_final(&state, hash.data());
  sodium_memzero(&state, sizeof state);
  return to_hex(hash);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace quarry::accounts
