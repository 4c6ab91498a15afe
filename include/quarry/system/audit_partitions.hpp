#pragma once
/// The months of the audit log on PostgreSQL: each a partition of its own, made ahead, and detached when it is old enough to
/// go. On SQLite there are none, and these functions find and do nothing.
///
/// Entries of a month that has no partition go to the DEFAULT one; a month that it holds entries of cannot get a partition
/// any more. So months are made ahead: `quarry seed` does, and so should whoever looks after the database, every month.
///
/// They are run by the owner of the tables, as the system: `denied` for other actors.
///
/// Errors: `invalid` (a number of months out of bounds), `denied`. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quarry/sql/transaction.hpp"

namespace quarry::system {

struct AuditPartition {
  std::string name;             ///< audit_logs_2026_03, or audit_logs_default
  std::optional<Instant> from;  ///< its month, in UTC; nothing for the default one
  std::optional<Instant> until;
  bool is_empty = true;
};
BOOST_DESCRIBE_STRUCT(AuditPartition, (), (name, from, until, is_empty))
/// The oldest first, the default one last.
std::vector<AuditPartition> audit_partitions(Read& tx);

struct EnsuredPartitions {
  std::vector<std::string> made;
  /// Months that stay in the default partition, because it has entries of them.
  std::vector<std::string> left_to_default;
};
BOOST_DESCRIBE_STRUCT(EnsuredPartitions, (), (made, left_to_default))
/// Partitions for this month and the `months_ahead` (0 to 120) after it. Those that are there stay as they are.
EnsuredPartitions ensure_audit_partitions(Write& tx, int months_ahead = 3);

struct RetiredPartition {
  std::string table;  ///< the table that it is now
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::string hash;  ///< of its last entry
};
BOOST_DESCRIBE_STRUCT(RetiredPartition, (), (table, first, last, hash))
/// Detaches the oldest partition that has entries if all of them are older than `before` and
/// than this month; nothing when there is none. It
/// stays as a table of its own, append-only as before, to be dumped and dropped by the operator. An entry `audit.retire`
/// vouches for what went, so that the rest of the chain still verifies. Call again for the next one.
/// Waits for all who use the log, and they for it.
std::optional<RetiredPartition> retire_audit_partition(Write& tx, Instant before);

}  // namespace quarry::system
