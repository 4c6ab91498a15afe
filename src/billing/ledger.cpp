#include "quarry/billing/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "billing/ledger_rows.hpp"
#include "billing/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/queue/claim_gate.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::billing {
namespace {

void check_units(std::int64_t units, std::int64_t least) {
  if (units < least || units > micro_units_max)
    throw_invalid(fmt::format("units {}: they must be from {} to {} micro-units", units, least, micro_units_max));
}

[[noreturn]] void throw_other_content(std::string_view event_id) {
  throw Error(ErrorCode::conflict,
              fmt::format("the ledger has an event '{}' with other content: an id stands for one event", event_id));
}

/// Somebody else wrote the id between the look and the insert: the transaction is run again, and finds it.
[[noreturn]] void throw_met(std::string_view event_id) {
  throw Error(ErrorCode::conflict, fmt::format("the event '{}' is being written by another transaction", event_id))
      .set_retryable(true);
}

/// What a caller says of an event, which tells a repeated call from another one with the same id. Not what the ledger adds,
/// such as the period.
struct Content {
  UsageKind kind;
  UserId user_id;
  std::int64_t units;
  std::optional<UsageEventId> reservation_id{};
  std::optional<JobId> job_id{};
  std::optional<TaskId> task_id{};

  bool is_of(const UsageEventRow& row) const {
    return row.kind == kind && row.user_id == user_id && row.units == units && row.reservation_id == reservation_id &&
           row.job_id == job_id && row.task_id == task_id;
  }
};

/// The answer for an event that is there already, if it is.
std::optional<Entry> find_repeated(Read& tx, std::string_view event_id, const Content& content) {
  const auto row = find_event_row(tx, event_id);
  if (!row) return std::nullopt;
  if (!content.is_of(*row)) throw_other_content(event_id);
  return Entry{LedgerOutcome::repeated, row->event(), find_balance(tx, row->user_id, row->period_start).value()};
}

/// The reserve that is to be ended. One that the actor does not see is not there.
UsageEventRow get_reservation(Read& tx, std::string_view event_id) {
  auto row = find_event_row(tx, event_id);
  if (!row || !tx.actor().sees(row->user_id) || row->kind != UsageKind::reserve)
    throw Error(ErrorCode::not_found, fmt::format("there is no reservation '{}'", event_id));
  return *std::move(row);
}

struct End {
  UsageKind kind;
  std::string_view event_id;
  std::string_view reservation;
  std::int64_t asked;  ///< what the caller says it did cost
  OverReserve over;
};

Entry end_reservation(Write& tx, const End& end) {
  store::check_text("event_id", end.event_id, 1, 255);
  const auto reserved = get_reservation(tx, end.reservation);
  const bool is_settled = end.kind == UsageKind::settle;
  const auto charged = end.over == OverReserve::cap ? std::min(end.asked, reserved.units) : end.asked;
  const Content content{end.kind,    reserved.user_id, is_settled ? charged : reserved.units,
                        reserved.id, reserved.job_id,  reserved.task_id};
  if (auto repeated = find_repeated(tx, end.event_id, content)) return *std::move(repeated);
  // Whoever ends a reservation holds its period: two of them do so one after the other.
  const auto balance = lock_balance(tx, reserved.user_id, reserved.period_start);
  if (const auto other = find_end_row(tx, reserved.id)) {
    if (other->event_id != end.event_id) return {LedgerOutcome::already_ended, other->event(), balance};
    if (!content.is_of(*other)) throw_other_content(end.event_id);
    return {LedgerOutcome::repeated, other->event(), balance};
  }
  const UsageEventRow row{tx.new_id<UsageEventId>(),
                          std::string(end.event_id),
                          reserved.user_id,
                          end.kind,
                          content.units,
                          reserved.period_start,
                          reserved.id,
                          reserved.job_id,
                          reserved.task_id,
                          {},
                          tx.now()};
  if (!insert_event_row(tx, row)) throw_met(end.event_id);
  const auto after = add_to_balance(tx, row.user_id, row.period_start, 0, is_settled ? charged : 0, -reserved.units);
  return {LedgerOutcome::recorded, row.event(), after};
}

Entry add_to_granted(Write& tx, UsageKind kind, const Grant& wish) {
  store::check_text("event_id", wish.event_id, 1, 255);
  if (auto repeated = find_repeated(tx, wish.event_id, {kind, wish.user_id, wish.units})) return *std::move(repeated);
  const auto start = open_period(tx, wish.user_id).may.period.start;
  const UsageEventRow row{
      tx.new_id<UsageEventId>(), wish.event_id, wish.user_id, kind, wish.units, start, {}, {}, {}, {}, tx.now()};
  if (!insert_event_row(tx, row)) throw_met(wish.event_id);
  const auto after = add_to_balance(tx, wish.user_id, start, wish.units, 0, 0);
  if (wish.units > 0) queue::let_go(tx, wish.user_id);
  return {LedgerOutcome::recorded, row.event(), after};
}

}  // namespace

Entry reserve(Write& tx, const Reserve& wish) {
  store::check_text("event_id", wish.event_id, 1, 255);
  check_units(wish.units, 1);
  require_seen(tx, wish.user_id);
  const Content content{UsageKind::reserve, wish.user_id, wish.units, {}, wish.job_id, wish.task_id};
  if (auto repeated = find_repeated(tx, wish.event_id, content)) return *std::move(repeated);
  const auto [may, before] = open_period(tx, wish.user_id);
  const auto after = reserve_of_balance(tx, wish.user_id, may.period.start, wish.units);
  if (!after) {
    // It waited for whoever took the rest: that may have been this very event.
    if (auto repeated = find_repeated(tx, wish.event_id, content)) return *std::move(repeated);
    return {LedgerOutcome::exhausted, {}, find_balance(tx, wish.user_id, may.period.start).value_or(before)};
  }
  const UsageEventRow row{tx.new_id<UsageEventId>(),
                          wish.event_id,
                          wish.user_id,
                          UsageKind::reserve,
                          wish.units,
                          may.period.start,
                          {},
                          wish.job_id,
                          wish.task_id,
                          {},
                          tx.now()};
  if (!insert_event_row(tx, row)) throw_met(wish.event_id);
  return {LedgerOutcome::recorded, row.event(), *after};
}

Entry settle(Write& tx, const Settle& wish) {
  check_units(wish.units, 0);
  return end_reservation(tx, {UsageKind::settle, wish.event_id, wish.reservation, wish.units, wish.over});
}

Entry release(Write& tx, const EndReservation& wish) {
  return end_reservation(tx, {UsageKind::release, wish.event_id, wish.reservation, 0, OverReserve::charge});
}

Entry expire(Write& tx, const EndReservation& wish) {
  return end_reservation(tx, {UsageKind::expire, wish.event_id, wish.reservation, 0, OverReserve::charge});
}

Entry grant(Write& tx, const Grant& wish) {
  require_admin(tx, "granting units");
  check_units(wish.units, 1);
  return add_to_granted(tx, UsageKind::grant, wish);
}

Entry adjust(Write& tx, const Grant& wish) {
  require_admin(tx, "adjusting a balance");
  if (wish.units == 0) throw_invalid("an adjustment of 0 units adjusts nothing");
  check_units(wish.units < 0 ? -std::max(wish.units, -micro_units_max - 1) : wish.units, 1);
  return add_to_granted(tx, UsageKind::adjust, wish);
}

std::optional<UsageEvent> find_usage_event(Read& tx, std::string_view event_id) {
  const auto row = find_event_row(tx, event_id);
  if (!row || !tx.actor().sees(row->user_id)) return std::nullopt;
  return row->event();
}

}  // namespace quarry::billing
