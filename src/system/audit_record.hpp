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
  std::optional<UserId> user_id{};  ///< null when the user is gone
  std::optional<Bytes> user_digest{};
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
                      (id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details,
                       ip_address, user_agent, prev_hash, hash))

/// What is left of the user who did it when the user is gone: SHA-256 of the entry's id and the user's. Of no use to find
/// the user, nor to tell which entries were the same user's.
Bytes digest_of_user(Uuid entry, UserId user);
/// The JSON text that stands for the record.
std::string canonical_text(const ChainedRecord& record);
/// SHA-256 over `prev_hash` and the canonical text.
Bytes chain_hash(const ChainedRecord& record);
/// Whether it is what its hash says, and its user, while there is one, what its digest says. What was written outside of the
/// library may not even have a canonical form.
bool fits_hash(const ChainedRecord& record);
std::string to_hex(std::span<const std::byte> bytes);

/// In the spelling of inet_ntop; nothing for what is no address.
std::optional<std::string> canonical_ip(const std::string& text);

}  // namespace quarry::system
