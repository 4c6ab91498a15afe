/// Whatever text comes as an API key or stands as a password's hash: it is refused, or its parts are what their pages say. A
/// text that is no key becomes one by the right checksum only.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "accounts/stored_hash.hpp"
#include "accounts/token_text.hpp"
#include "quarry/accounts/key_text.hpp"

namespace {

using namespace quarry::accounts;

void require(bool holds) {
  if (!holds) std::abort();
}

void parse_as_key(std::string_view text) {
  const auto parts = parse_key(text);
  if (!parts) return;
  require(text.size() == key_text_length && text.starts_with("qry_"));
  require(parts->key_id.size() == 16 && is_base62(parts->key_id));
  require(parts->secret.size() == secret_length && is_base62(parts->secret));
  std::string whole = "qry_";
  whole.append(parts->key_id).append("_").append(parts->secret);
  whole += checksum(whole);
  require(whole == text);
}

/// The rest of a key after the input, so that the fuzzer need not find a checksum.
void complete_as_key(std::string_view text) {
  auto body = "qry_" + std::string(text.substr(0, 60));
  body.resize(key_text_length - 6, '0');
  body[20] = '_';
  const auto whole = body + checksum(body);
  parse_as_key(whole);
  auto other = whole;
  other.back() = other.back() == '0' ? '1' : '0';
  require(!parse_key(other));
}

void parse_as_hash(std::string_view text) {
  const auto hash = parse_stored_hash(text);
  if (!hash) return;
  switch (hash->kind) {
    case HashKind::nobodys:
      require(text.starts_with('!'));
      break;
    case HashKind::argon2id:
      require(is_possible(hash->cost) &&
              text.starts_with("$argon2id$v=19$m=" + std::to_string(hash->cost.memory_kib) + ","));
      // Never an improvement on itself, nor on anything better.
      require(!is_outdated(*hash, hash->cost));
      require(!is_outdated(*hash, {hash->cost.memory_kib, 1}));
      break;
    case HashKind::bcrypt:
      require(text.size() == 60 && is_outdated(*hash, {8, 1}));
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  parse_as_key(text);
  complete_as_key(text);
  parse_as_hash(text);
  return 0;
}
