#pragma once
/// What users have used, and the proof that the counters say so.
///
/// All amounts are micro-units (units.hpp). Errors: `not_found`, `invalid` (a limit, a cursor). Thread safety: that of the
/// transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "quarry/billing/ledger.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/store/page.hpp"

namespace quarry::billing {

/// A user's standing at a moment.
struct Usage {
  Entitlement entitlement;
  Balance balance;              ///< of the entitlement's period
  bool period_is_open = false;  ///< false: nothing was reserved yet, and the balance is what the plan will grant
};
/// Throws `not_found` for a user who is not there or not seen.
Usage usage(Read& tx, UserId user, Instant at);

/// A user's periods that were opened, the newest first.
std::vector<Balance> periods_of(Read& tx, UserId user, int limit = 24);

struct UsageFilter {
  std::optional<UserId> user_id{};
  std::optional<UsageKind> kind{};
  std::optional<JobId> job_id{};
  std::optional<TaskId> task_id{};
};
/// The ledger itself, the newest first.
Page<UsageEvent> list_usage_events(Read& tx, const UsageFilter& filter = {}, const PageRequest& page = {});

/// A period whose counters are not what its events say.
struct UsageDifference {
  UserId user_id;
  Instant period_start;
  std::int64_t granted = 0;
  std::int64_t granted_by_events = 0;
  std::int64_t used = 0;
  std::int64_t used_by_events = 0;
  std::int64_t reserved = 0;
  std::int64_t reserved_by_events = 0;
};
BOOST_DESCRIBE_STRUCT(UsageDifference, (),
                      (user_id, period_start, granted, granted_by_events, used, used_by_events, reserved,
                       reserved_by_events))

inline constexpr std::size_t altered_events_max = 1'000;

struct UsageCheck {
  std::int64_t periods = 0;  ///< that were looked at
  std::vector<UsageDifference> differences;
  std::int64_t events = 0;                  ///< that were looked at
  std::int64_t altered = 0;                 ///< of them, those that are not what their hash says
  std::vector<std::string> altered_events;  ///< the ids of the first `altered_events_max` of them
  /// No differences, and nothing altered.
  bool is_good() const noexcept { return differences.empty() && altered == 0; }
};
BOOST_DESCRIBE_STRUCT(UsageCheck, (), (periods, differences, events, altered, altered_events))

/// Adds up the events of every period, of one user or of all, and compares; and looks whether each event still is what was
/// written, in every column, by its hash. Its cost grows with the number of events.
UsageCheck check_usage(Read& tx, std::optional<UserId> user = {});

/// Brings the allowance of the user's current period, if it is open, to what the plan gives now: a larger plan raises it at
/// once, a smaller one lowers it; what was used stays used. The units that moved. Called whenever a subscription changes.
std::int64_t sync_allowance(Write& tx, UserId user);

}  // namespace quarry::billing
