#pragma once
/// The ledger of compute units. It only grows; what a user has left is the sum.
///
///     auto entry = reserve(tx, {.user_id = ada, .event_id = "task 7, lease 1", .units = micro_per_unit});
///     if (entry.outcome == LedgerOutcome::exhausted) ...                     // not a unit more than was granted, ever
///     settle(tx, {.event_id = "task 7, lease 1, done", .reservation = "task 7, lease 1", .units = cost_of(run_time)});
///
/// | event   | granted | used  | reserved |                                                                               |
/// |---------|---------|-------|----------|-------------------------------------------------------------------------------|
/// | grant   | + units |       |          | a period's allowance, an upgrade, a present                                   |
/// | adjust  | + units |       |          | a correction; the only one that may be negative                               |
/// | reserve |         |       | + units  | only while used + reserved + units <= granted                                 |
/// | settle  |         | + units | - reserve | what the work did cost                                                     |
/// | release |         |       | - reserve | the work was not done, or failed: it costs nothing                           |
/// | expire  |         |       | - reserve | whoever reserved it is gone                                                  |
///
/// A reservation ends once: by a settle, a release or an expire. All amounts are micro-units (units.hpp).
///
/// Every event has an id of the caller's. The same id with the same content is the same event: it counts once, and the
/// repeated call is told so. With other content it is a `conflict`.
///
/// The event and the period's counters are changed in one transaction, the balance by a conditional UPDATE: callers at the
/// same time cannot spend more than there is. `check_usage` (usage.hpp) proves that the counters are the sums.
///
/// Errors: `not_found`, `invalid`, `conflict`, `denied`, as each function says. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/billing/period.hpp"
#include "quarry/billing/units.hpp"
#include "quarry/core/id.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::billing {

using UsageEventId = Id<struct UsageEventTag>;

enum class UsageKind { grant, reserve, settle, release, expire, adjust };
BOOST_DESCRIBE_ENUM(UsageKind, grant, reserve, settle, release, expire, adjust)

struct UsageEvent {
  UsageEventId id;
  std::string event_id;
  UserId user_id;
  UsageKind kind = UsageKind::grant;
  std::int64_t units = 0;  ///< micro-units; of a release or an expire, what it gave back
  Instant period_start;
  std::optional<UsageEventId> reservation_id;  ///< the reserve that this one ended
  std::optional<JobId> job_id;
  std::optional<TaskId> task_id;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(UsageEvent, (),
                      (id, event_id, user_id, kind, units, period_start, reservation_id, job_id, task_id, created_at))

/// A user's counters in one period, in micro-units.
struct Balance {
  UserId user_id;
  Instant period_start;
  Instant period_end;
  std::int64_t granted = 0;
  std::int64_t used = 0;
  std::int64_t reserved = 0;

  /// Below zero when work cost more than it had reserved, or a grant was taken back after it was used.
  std::int64_t remaining() const noexcept { return granted - used - reserved; }
};
BOOST_DESCRIBE_STRUCT(Balance, (), (user_id, period_start, period_end, granted, used, reserved))

enum class LedgerOutcome {
  recorded,       ///< it counts from now on
  repeated,       ///< it was there already: nothing has changed
  exhausted,      ///< a reserve for which too little is left: nothing has changed
  already_ended,  ///< the reservation was ended by another event, which is `event`: nothing has changed
};
BOOST_DESCRIBE_ENUM(LedgerOutcome, recorded, repeated, exhausted, already_ended)

struct Entry {
  LedgerOutcome outcome = LedgerOutcome::recorded;
  std::optional<UsageEvent> event;  ///< nothing when exhausted
  Balance balance;                  ///< of the event's period, afterwards
};

struct Reserve {
  UserId user_id;
  std::string event_id;    ///< 1 to 255 characters
  std::int64_t units = 0;  ///< 1 to `micro_units_max`
  std::optional<JobId> job_id{};
  std::optional<TaskId> task_id{};
};
/// In the user's period of now, which is opened when nobody has done so. Throws `not_found` for the user, `invalid` for a
/// field out of bounds, `conflict` for an id with other content.
Entry reserve(Write& tx, const Reserve& wish);

/// What becomes of work that cost more than it had reserved.
enum class OverReserve {
  charge,  ///< it is charged in full, even below zero: the next reserve is refused
  cap,     ///< no more than was reserved is charged
};
BOOST_DESCRIBE_ENUM(OverReserve, charge, cap)

struct Settle {
  std::string event_id;
  std::string reservation;  ///< the reserve's event id
  std::int64_t units = 0;   ///< 0 to `micro_units_max`: what it did cost
  OverReserve over = OverReserve::charge;
};
/// In the reservation's period, also when that is over. Throws `not_found` for the reservation, and as `reserve`.
Entry settle(Write& tx, const Settle& wish);

struct EndReservation {
  std::string event_id;
  std::string reservation;
};
/// Throws as `settle`.
Entry release(Write& tx, const EndReservation& wish);
/// The same when whoever reserved it is gone. Throws as `settle`.
Entry expire(Write& tx, const EndReservation& wish);

struct Grant {
  UserId user_id;
  std::string event_id;
  std::int64_t units = 0;
};
/// For the system and for admins: `denied` for others. In the user's period of now.
Entry grant(Write& tx, const Grant& wish);
/// The same with `units` of either sign, and not 0.
Entry adjust(Write& tx, const Grant& wish);

/// By the id that its caller gave it; nothing when there is none or the actor does not see it.
std::optional<UsageEvent> find_usage_event(Read& tx, std::string_view event_id);

}  // namespace quarry::billing
