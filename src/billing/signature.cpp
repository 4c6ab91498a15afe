#include <sodium.h>

#include <array>

#include "quarry/billing/inbox.hpp"

namespace quarry::billing {
namespace {

using Mac = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>;

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

/// Exactly the digits of a MAC; nothing is skipped or forgiven.
std::optional<Mac> parse_mac(std::string_view hex) {
  Mac mac{};
  if (hex.size() != 2 * mac.size()) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const auto high = hex_digit(hex[2 * i]);
    const auto low = hex_digit(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    mac[i] = static_cast<unsigned char>(*high << 4 | *low);
  }
  return mac;
}

bool matches(std::string_view body, const Mac& claimed, std::string_view secret) {
  Mac made{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  crypto_auth_hmacsha256_final(&state, made.data());
  sodium_memzero(&state, sizeof state);
  return !secret.empty() && crypto_verify_32(made.data(), claimed.data()) == 0;
}

}  // namespace

bool is_signed(std::string_view body, std::string_view signature, const WebhookSecrets& secrets) {
  static_assert(crypto_auth_hmacsha256_BYTES == 32);
  const auto claimed = parse_mac(signature);
  if (!claimed) return false;
  // Both, always: the time does not tell which one it was.
  const bool by_current = matches(body, *claimed, secrets.current.reveal());
  const bool by_previous = matches(body, *claimed, secrets.previous.reveal());
  return by_current || by_previous;
}

}  // namespace quarry::billing
