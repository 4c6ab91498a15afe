#pragma once
/// The right to compute a key's value alone, of all programs: a row of the cache's own table under a key of its own.
///
/// A lease has an epoch besides its holder. Who takes over from a holder that has died, or takes too long, goes on with the
/// epoch; removing the key ends it. What was computed is kept only while its epoch lasts: a value that was computed from
/// what has since been declared wrong never comes back (the leases of Nishtala et al., "Scaling Memcache at Facebook",
/// 2013).
///
/// Thread safety: that of the transaction.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/cache/entries.hpp"

namespace quarry::cache {

struct Lease {
  std::string key;    ///< of the lease's row
  std::string stamp;  ///< the epoch and the holder, as they stand in the row
};

/// Nothing while somebody else has it and his time is not over.
std::optional<Lease> take_lease(Write& tx, std::string_view key, std::chrono::microseconds hold_max);
/// Gives it back, if it is still the holder's.
void release_lease(Write& tx, const Lease& lease);
/// Keeps what the holder has computed, unless there is a value by now or the epoch is over, and gives the lease back. False
/// when it was not kept.
bool keep_computed(Write& tx, const Lease& lease, std::string_view key, std::string_view value, const Ttl& ttl);

/// Ends the epochs of a key, or of all that begin with `prefix`. Before their values are removed: whoever keeps a value at
/// the same time either comes first, and his value is removed, or does not keep it.
void end_epoch(Write& tx, std::string_view key);
void end_epochs(Write& tx, std::string_view prefix);

}  // namespace quarry::cache
