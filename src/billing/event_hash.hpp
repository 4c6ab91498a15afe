#pragma once
/// What the hash of a ledger's event covers: what its caller said. A repeated call is told by it from another one with the
/// same id, and `check_usage` an event that was changed afterwards.

#include <string_view>

#include "quarry/billing/ledger.hpp"

namespace quarry::billing {

/// SHA-256.
Bytes sha256_of(std::string_view text);

/// Of a grant or an adjustment.
Bytes hash_of_grant(UsageKind kind, UserId user, std::int64_t units);
Bytes hash_of_reserve(UserId user, std::int64_t units, const std::optional<JobId>& job, const std::optional<TaskId>& task);
/// Of a settle, a release or an expire. `asked` is what the caller said that it did cost, before any cap.
Bytes hash_of_end(UsageKind kind, UserId user, std::int64_t asked, std::string_view reservation, OverReserve over);
/// Of what the ledger posts by itself: allowances, corrections, leases.
Bytes hash_of_own(UsageKind kind, UserId user, std::int64_t units, std::string_view event_id);

}  // namespace quarry::billing
