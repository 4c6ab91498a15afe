#pragma once
/// What an entry's hash is made of.

#include <boost/describe.hpp>
#include <optional>
#include <span>
#include <string>

#include "quarry/core/id.hpp"
#include "quarry/sql/param.hpp"

namespace quarry::system {

/// An entry as the table holds it.
struct ChainedRecord {
  Uuid id{};
  std::int64_t chain_seq = 0;
  Instant created_at{};
  std::string action{};
  std::optional<std::string> resource_type{};
  std::optional<Uuid> resource_id{};
  std::optional<Json> details{};
  std::optional<std::string> ip_address{};
  std::optional<std::string> user_agent{};
  std::optional<Bytes> prev_hash{};
  Bytes hash{};
};
BOOST_DESCRIBE_STRUCT(ChainedRecord, (),
                      (id, chain_seq, created_at, action, resource_type, resource_id, details, ip_address, user_agent,
                       prev_hash, hash))

/// The JSON text that stands for the record.
std::string canonical_text(const ChainedRecord& record);
/// SHA-256 over `prev_hash` and the canonical text.
Bytes chain_hash(const ChainedRecord& record);
std::string to_hex(std::span<const std::byte> bytes);

/// In the spelling of inet_ntop; nothing for what is no address.
std::optional<std::string> canonical_ip(const std::string& text);

}  // namespace quarry::system
