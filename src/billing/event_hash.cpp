#include "billing/event_hash.hpp"

#include <fmt/format.h>
#include <sodium.h>

namespace quarry::billing {
namespace {

/// Not what the ledger adds, such as the period.
Bytes hash_of(UsageKind kind, UserId user, std::int64_t units, std::string_view more) {
  return sha256_of(fmt::format("{}\n{}\n{}\n{}", boost::describe::enum_to_string(kind, ""), to_string(user), units, more));
}

}  // namespace

Bytes sha256_of(std::string_view text) {
  Bytes hash(crypto_hash_sha256_BYTES);
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return hash;
}

Bytes hash_of_grant(UsageKind kind, UserId user, std::int64_t units) { return hash_of(kind, user, units, ""); }

Bytes hash_of_reserve(UserId user, std::int64_t units, const std::optional<JobId>& job, const std::optional<TaskId>& task) {
  return hash_of(UsageKind::reserve, user, units, fmt::format("{}\n{}", job ? to_string(*job) : "", task.value_or(0)));
}

Bytes hash_of_end(UsageKind kind, UserId user, std::int64_t asked, std::string_view reservation, OverReserve over) {
  return hash_of(kind, user, asked, fmt::format("{}\n{}", reservation, boost::describe::enum_to_string(over, "")));
}

Bytes hash_of_own(UsageKind kind, UserId user, std::int64_t units, std::string_view event_id) {
  return hash_of(kind, user, units, fmt::format("own\n{}", event_id));
}

}  // namespace quarry::billing
