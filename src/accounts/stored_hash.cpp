#include "accounts/stored_hash.hpp"

#include <algorithm>
#include <charconv>

namespace quarry::accounts {
namespace {

constexpr std::size_t bcrypt_length = 60;
constexpr int bcrypt_cost_min = 4, bcrypt_cost_max = 16;
constexpr std::size_t argon2_part_length_max = 128;

constexpr bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_bcrypt_base64(char c) { return is_alphanumeric(c) || c == '.' || c == '/'; }
constexpr bool is_base64(char c) { return is_alphanumeric(c) || c == '+' || c == '/'; }

bool skip(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

/// A decimal number without sign or leading zero.
bool read_number(std::string_view& text, std::int64_t& into) {
  if (text.empty() || text[0] < '1' || text[0] > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool read_base64(std::string_view& text) {
  const auto length = static_cast<std::size_t>(std::ranges::find_if_not(text, is_base64) - text.begin());
  text.remove_prefix(length);
  return length > 0 && length <= argon2_part_length_max;
}

std::optional<StoredHash> parse_argon2id(std::string_view text) {
  StoredHash hash{HashKind::argon2id};
  std::int64_t lanes = 0;
  const bool is_whole = skip(text, "$argon2id$v=19$m=") && read_number(text, hash.cost.memory_kib) && skip(text, ",t=") &&
                        read_number(text, hash.cost.passes) && skip(text, ",p=") && read_number(text, lanes) &&
                        skip(text, "$") && read_base64(text) && skip(text, "$") && read_base64(text) && text.empty();
  if (!is_whole || !is_possible(hash.cost) || lanes > 16) return std::nullopt;
  return hash;
}

std::optional<StoredHash> parse_bcrypt(std::string_view text) {
  if (text.size() != bcrypt_length || (text[2] != 'a' && text[2] != 'b' && text[2] != 'y') || text[3] != '$' ||
      text[6] != '$')
    return std::nullopt;
  int cost = 0;
  const auto [end, error] = std::from_chars(text.data() + 4, text.data() + 6, cost);
  if (error != std::errc{} || end != text.data() + 6 || cost < bcrypt_cost_min || cost > bcrypt_cost_max)
    return std::nullopt;
  if (!std::ranges::all_of(text.substr(7), is_bcrypt_base64)) return std::nullopt;
  return StoredHash{HashKind::bcrypt};
}

}  // namespace

std::optional<StoredHash> parse_stored_hash(std::string_view text) {
  if (text.starts_with('!')) return StoredHash{};
  if (text.starts_with("$argon2id$")) return parse_argon2id(text);
  if (text.starts_with("$2")) return parse_bcrypt(text);
  return std::nullopt;
}

bool is_outdated(const StoredHash& stored, const HashCost& wanted) noexcept {
  if (stored.kind == HashKind::bcrypt) return true;
  return stored.kind == HashKind::argon2id && stored.cost.memory_kib <= wanted.memory_kib &&
         stored.cost.memory_kib * stored.cost.passes < wanted.memory_kib * wanted.passes;
}

bool is_possible(const HashCost& cost) noexcept {
  return cost.memory_kib >= 8 && cost.memory_kib <= 4 * 1024 * 1024 && cost.passes >= 1 && cost.passes <= 64;
}

}  // namespace quarry::accounts
