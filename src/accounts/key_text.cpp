#include "quarry/accounts/key_text.hpp"

#include "accounts/token_text.hpp"

namespace quarry::accounts {
namespace {

constexpr std::string_view key_start = "qry_";
constexpr std::size_t key_id_length = 16, crc_length = 6;
static_assert(key_text_length == key_start.size() + key_id_length + 1 + secret_length + crc_length);

}  // namespace

std::optional<KeyParts> parse_key(std::string_view text) noexcept {
  if (text.size() != key_text_length || !text.starts_with(key_start)) return std::nullopt;
  const auto body = text.substr(0, text.size() - crc_length);
  const KeyParts parts{body.substr(key_start.size(), key_id_length), body.substr(body.size() - secret_length)};
  if (body[key_start.size() + key_id_length] != '_' || !is_base62(parts.key_id) || !is_base62(parts.secret))
    return std::nullopt;
  if (checksum(body) != text.substr(body.size())) return std::nullopt;
  return parts;
}

Secret make_key_text(Random& random) {
  std::string text(key_start);
  text.reserve(key_text_length);  // so that no half of it stays behind in freed memory
  text += random_name(random);
  text += '_';
  text += random_secret(random);
  text += checksum(text);
  return Secret(std::move(text));
}

}  // namespace quarry::accounts
