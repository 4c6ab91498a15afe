#pragma once
/// Leases as PostgreSQL takes many of them: two arrays of one length, for `unnest`.

#include <cstdint>
#include <span>
#include <vector>

#include "quarry/queue/claim.hpp"

namespace quarry::queue {

struct LeaseColumns {
  explicit LeaseColumns(std::span<const LeaseRef> leases) {
    ids.reserve(leases.size());
    tokens.reserve(leases.size());
    for (const auto& lease : leases) {
      ids.push_back(lease.id);
      tokens.push_back(lease.lease_token);
    }
  }
  std::vector<std::int64_t> ids, tokens;
};

}  // namespace quarry::queue
