#pragma once
/// What the commands of billing have in common.

#include <boost/describe.hpp>
#include <string>

#include "quarry/sql/database.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::cli {

/// The figures of a replay.
struct Replayed {
  std::int64_t events = 0;  ///< that were tried
  std::int64_t processed = 0;
  std::int64_t parked = 0;
  std::int64_t failed = 0;
};
BOOST_DESCRIBE_STRUCT(Replayed, (), (events, processed, parked, failed))

/// Applies the payment events that are not processed, or all of them, each in a transaction of its own. Throws `unavailable`
/// for one that is encrypted under a key that `ring` lacks.
Replayed replay_events(const Database& db, bool everything, const system::KeyRing* ring);

/// Whole units, or with a fraction of up to six digits: `12`, `-0.5`. Micro-units. Throws `invalid`.
std::int64_t parse_units(const std::string& text);

}  // namespace quarry::cli
