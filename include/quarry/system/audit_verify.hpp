#pragma once
/// The audit log read from its beginning to its end, in bounded memory, and every link of its chain checked.
///
///     const auto report = db.read({.deadline = 10min}, [&](Read& tx) { return system::verify_audit(tx, {.expect = kept});
///     });
///
/// What is found: an entry whose content is not what its hash says (`edited`), one that stood elsewhere (`moved`), one that
/// does not carry the hash of the one before (`unlinked`: one of the two was replaced), numbers that are missing or that
/// come twice. A chain alone cannot tell that its newest entries were cut off, or that somebody has computed it all anew:
/// keep its end (`audit_head`) outside of the database from time to time, and name it as `expect`.
///
/// A log whose oldest entries were retired begins later; that is no fault as long as the entry `audit.retire`, written
/// when they went, vouches for their number and hash.
///
/// Errors: `denied`, and those of the database; a fault of the chain is a value. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/sql/transaction.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::system {

enum class ChainFault {
  edited,     ///< its content does not fit its hash
  moved,      ///< its content fits its hash with another number
  unlinked,   ///< it does not carry the hash of the entry before
  missing,    ///< no entries with these numbers
  duplicate,  ///< a number for the second time
  cut,        ///< the log ends before the expected entry
  rewritten,  ///< the expected entry has another hash
};
BOOST_DESCRIBE_ENUM(ChainFault, edited, moved, unlinked, missing, duplicate, cut, rewritten)

struct ChainBreak {
  ChainFault fault = ChainFault::edited;
  std::int64_t seq = 0;
  std::optional<std::int64_t> until_seq;  ///< of `missing` and `cut`: the last number
  std::optional<Uuid> id;                 ///< of the entry, when there is one
  std::string message;                    ///< all this in words
};
BOOST_DESCRIBE_STRUCT(ChainBreak, (), (fault, seq, until_seq, id, message))

struct ChainReport {
  std::int64_t checked = 0;        ///< entries read
  std::int64_t faults = 0;         ///< found in all
  std::vector<ChainBreak> breaks;  ///< the first hundred of them
  std::int64_t retired = 0;        ///< entries that went before, and are vouched for
  std::optional<ChainHead> head;   ///< of what is there
  /// No faults.
  bool intact() const noexcept { return faults == 0; }
};
BOOST_DESCRIBE_STRUCT(ChainReport, (), (checked, faults, breaks, retired, head))

struct VerifyOptions {
  std::optional<ChainHead> expect{};
};
/// For the system and admins: `denied` for others, who see a part of the chain only.
ChainReport verify_audit(Read& tx, const VerifyOptions& options = {});
/// The same for the newest `entries` alone, at most: bounded work, for a look now and then. What lies before them is taken
/// to be there.
ChainReport verify_audit_end(Read& tx, std::int64_t entries);

}  // namespace quarry::system
