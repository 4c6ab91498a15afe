#pragma once
/// What the hash of a ledger's event covers: every column of its row, so that `check_usage` finds an event that was changed
/// afterwards.

#include <string_view>

#include "billing/ledger_rows.hpp"

namespace quarry::billing {

/// SHA-256.
Bytes sha256_of(std::string_view text);

/// Of all that the row says but the hash itself.
Bytes hash_of(const UsageEventRow& row);

}  // namespace quarry::billing
