#pragma once
/// Programs that seed one database at the same time.

#include "quarry/sql/transaction.hpp"

namespace quarry::ops {

/// Waits until no other transaction seeds, and keeps others waiting until this one ends. Statements that follow see what the
/// one before has left.
void take_seed_turn(Write& tx);

}  // namespace quarry::ops
