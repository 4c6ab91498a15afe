#pragma once
/// The ledger's rows and the counters beside them.

#include <string>
#include <string_view>

#include "quarry/billing/ledger.hpp"
#include "quarry/billing/subscriptions.hpp"

#define QUARRY_BALANCE_COLUMNS "user_id, period_start, period_end, granted, used, reserved"
#define QUARRY_USAGE_EVENT_COLUMNS \
  "id, event_id, user_id, kind, units, period_start, reservation_id, job_id, task_id, created_at"
#define QUARRY_USAGE_ROW_COLUMNS \
  "id, event_id, user_id, kind, units, period_start, reservation_id, job_id, task_id, payload_hash, created_at"

namespace quarry::billing {

/// An event as it is stored, with the hash of all that it says.
struct UsageEventRow {
  UsageEventId id;
  std::string event_id;
  UserId user_id;
  UsageKind kind = UsageKind::grant;
  std::int64_t units = 0;
  Instant period_start;
  std::optional<UsageEventId> reservation_id;
  std::optional<JobId> job_id;
  std::optional<TaskId> task_id;
  Bytes payload_hash;  ///< of the rest (event_hash.hpp)
  Instant created_at;

  UsageEvent event() const {
    return {id, event_id, user_id, kind, units, period_start, reservation_id, job_id, task_id, created_at};
  }
};
BOOST_DESCRIBE_STRUCT(UsageEventRow, (),
                      (id, event_id, user_id, kind, units, period_start, reservation_id, job_id, task_id, payload_hash,
                       created_at))

std::optional<UsageEventRow> find_event_row(Read& tx, std::string_view event_id);
/// The event that ended a reservation.
std::optional<UsageEventRow> find_end_row(Read& tx, UsageEventId reservation);
/// Makes its hash. False when the event id is there already.
bool insert_event_row(Write& tx, UsageEventRow row);

std::optional<Balance> find_balance(Read& tx, UserId user, Instant period_start);
/// The same, locked until the transaction ends. `bug` when it is not there.
Balance lock_balance(Write& tx, UserId user, Instant period_start);
/// The same without waiting: nothing when somebody else has it.
std::optional<Balance> try_lock_balance(Write& tx, UserId user, Instant period_start);
/// Adds to the counters of a period.
Balance add_to_balance(Write& tx, UserId user, Instant period_start, std::int64_t granted, std::int64_t used,
                       std::int64_t reserved);
/// Adds to `reserved` while it is covered; nothing when it is not.
std::optional<Balance> reserve_of_balance(Write& tx, UserId user, Instant period_start, std::int64_t units);

/// Locks the user until the transaction ends: before a period is opened and before a subscription changes, so that one of
/// them sees what the other one did. Comes before the lock of a balance. On SQLite there is nothing to do.
void lock_user(Write& tx, UserId user);

/// The same without waiting for anybody: false when somebody else has the user.
bool try_lock_user(Write& tx, UserId user);

struct OpenPeriod {
  Entitlement may;
  Balance balance;
};
/// The user's period of now. Whoever comes first opens it, and its allowance is granted, once.
OpenPeriod open_period(Write& tx, UserId user);

/// Posts a grant or an adjustment to a period that is open, under an id of its own: `prefix`/n. For what is derived from
/// state: the caller has locked the balance, and has found out by `posted` what is still missing.
void post_difference(Write& tx, UserId user, Instant period_start, std::string_view prefix, std::int64_t units);

struct Posted {
  std::int64_t units = 0;
  std::int64_t events = 0;
};
BOOST_DESCRIBE_STRUCT(Posted, (), (units, events))
/// The sum of the grants and adjustments of a period whose ids begin so.
Posted posted(Read& tx, UserId user, Instant period_start, std::string_view prefix);

/// The ids of a period's allowance begin so.
std::string allowance_prefix(UserId user, Instant period_start);

}  // namespace quarry::billing
