#pragma once
/// What becomes of tasks that a gate keeps back.

#include <vector>

#include "quarry/queue/claim_gate.hpp"
#include "queue/transition.hpp"

namespace quarry::queue {

/// Ends the leases that this transaction has just given, as if they had never been given.
std::vector<MovedTask> put_back(Write& tx, std::span<const KeptBack> tasks);

}  // namespace quarry::queue
