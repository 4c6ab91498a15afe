#include "system/audit_record.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <boost/json/serialize.hpp>

#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::system {
namespace {

const unsigned char* raw(const void* data) { return static_cast<const unsigned char*>(data); }

std::string json_text(const std::optional<std::string>& text) {
  return text ? canonical_json(boost::json::serialize(boost::json::string(*text))) : "null";
}

}  // namespace

std::optional<std::string> canonical_ip(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, text.c_str(), address.data()) == 1 && text.find('\0') == std::string::npos)
      return inet_ntop(family, address.data(), out.data(), out.size());
  return std::nullopt;
}

Bytes digest_of_user(Uuid entry, UserId user) {
  const auto text = fmt::format("{}\n{}", to_string(entry), to_string(user));
  Bytes digest(crypto_hash_sha256_BYTES);
  crypto_hash_sha256(static_cast<unsigned char*>(static_cast<void*>(digest.data())), raw(text.data()), text.size());
  return digest;
}

std::string canonical_text(const ChainedRecord& record) {
  auto ip = record.ip_address;
  if (ip) ip = canonical_ip(*ip).value_or(*ip);
  std::optional<std::string> resource_id;
  if (record.resource_id) resource_id = to_string(*record.resource_id);
  std::optional<std::string> user_digest;
  if (record.user_digest) user_digest = to_hex(*record.user_digest);
  return fmt::format(
      R"({{"action":{},"created_at":{},"details":{},"id":"{}","ip_address":{},"resource_id":{},"resource_type":{},"seq":{},"user_agent":{},"user_digest":{}}})",
      json_text(record.action), record.created_at.us, record.details ? canonical_json(record.details->text) : "null",
      to_string(record.id), json_text(ip), json_text(resource_id), json_text(record.resource_type), record.chain_seq,
      json_text(record.user_agent), json_text(user_digest));
}

Bytes chain_hash(const ChainedRecord& record) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  if (record.prev_hash) crypto_hash_sha256_update(&state, raw(record.prev_hash->data()), record.prev_hash->size());
  const auto text = canonical_text(record);
  crypto_hash_sha256_update(&state, raw(text.data()), text.size());
  Bytes hash(crypto_hash_sha256_BYTES);
  crypto_hash_sha256_final(&state, static_cast<unsigned char*>(static_cast<void*>(hash.data())));
  return hash;
}

bool fits_hash(const ChainedRecord& record) {
  if (record.user_id && record.user_digest != digest_of_user(record.id, *record.user_id)) return false;
  try {
    return chain_hash(record) == record.hash;
  } catch (const Error&) {
    return false;
  }
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

}  // namespace quarry::system
