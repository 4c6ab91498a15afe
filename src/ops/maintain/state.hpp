#pragma once
/// What one run leaves for the next: a row of `system_config` of its own, written beside the settings' functions because it
/// is no setting and belongs into no audit log.

#include <optional>
#include <string>

#include "quarry/sql/transaction.hpp"

namespace quarry::ops::upkeep {

struct MaintainState {
  std::optional<Instant> finished_at;      ///< the last whole run
  std::optional<Instant> rolled_up_until;  ///< usage of the days before is rolled up, whatever is purged
};

MaintainState read_state(Read& tx);
/// Changes what is set, and leaves the rest.
void write_state(Write& tx, const MaintainState& change);

}  // namespace quarry::ops::upkeep
