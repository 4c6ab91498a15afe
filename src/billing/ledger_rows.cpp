#include "billing/ledger_rows.hpp"

#include <fmt/format.h>

#include "billing/event_hash.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/conditions.hpp"

namespace quarry::billing {
namespace {

constexpr sql::Query<UsageEventRow(std::string_view)> find_event{
    "billing.find_event", "select " QUARRY_USAGE_ROW_COLUMNS " from usage_events where event_id = $1"};
constexpr sql::Query<UsageEventRow(UsageEventId)> find_end{
    "billing.find_end", "select " QUARRY_USAGE_ROW_COLUMNS " from usage_events where reservation_id = $1"};
constexpr sql::Command<void(UsageEventRow)> insert_event{
    "billing.insert_event", "insert into usage_events (" QUARRY_USAGE_ROW_COLUMNS
                            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (event_id) do nothing"};

constexpr sql::Query<UserId(UserId)> lock_user_row{"billing.lock_user", sql::sqlite(""),
                                                   sql::postgres("select id from users where id = $1 for no key update")};
constexpr sql::Query<UserId(UserId)> try_lock_user_row{
    "billing.try_lock_user", sql::sqlite(""),
    sql::postgres("select id from users where id = $1 for no key update skip locked")};
constexpr sql::Query<Balance(UserId, Instant)> try_lock_period{
    "billing.try_lock_balance",
    sql::sqlite("select " QUARRY_BALANCE_COLUMNS " from usage_periods where user_id = $1 and period_start = $2"),
    sql::postgres("select " QUARRY_BALANCE_COLUMNS
                  " from usage_periods where user_id = $1 and period_start = $2 for no key update skip locked")};
constexpr sql::Query<Balance(UserId, Instant)> find_period{
    "billing.find_balance", "select " QUARRY_BALANCE_COLUMNS " from usage_periods where user_id = $1 and period_start = $2"};
constexpr sql::Query<Balance(UserId, Instant)> lock_period{
    "billing.lock_balance",
    sql::sqlite("select " QUARRY_BALANCE_COLUMNS " from usage_periods where user_id = $1 and period_start = $2"),
    sql::postgres("select " QUARRY_BALANCE_COLUMNS
                  " from usage_periods where user_id = $1 and period_start = $2 for no key update")};
constexpr sql::Command<void(UserId, Instant, Instant, std::int64_t, Instant)> insert_period{
    "billing.open_period",
    "insert into usage_periods (user_id, period_start, period_end, granted, created_at, updated_at)"
    " values ($1, $2, $3, $4, $5, $5) on conflict (user_id, period_start) do nothing"};

constexpr sql::Command<Balance(UserId, Instant, std::int64_t, std::int64_t, std::int64_t, Instant)> add_to{
    "billing.add_to_balance",
    "update usage_periods set granted = granted + $3, used = used + $4, reserved = reserved + $5, updated_at = $6"
    " where user_id = $1 and period_start = $2 returning " QUARRY_BALANCE_COLUMNS};
// The one statement that spends: the engine decides, on the row as it is when it is locked.
constexpr sql::Command<Balance(UserId, Instant, std::int64_t, Instant)> reserve_of{
    "billing.reserve_of_balance",
    "update usage_periods set reserved = reserved + $3, updated_at = $4"
    " where user_id = $1 and period_start = $2 and used + reserved + $3 <= granted returning " QUARRY_BALANCE_COLUMNS};

constexpr sql::Query<Posted(UserId, Instant, std::string_view)> sum_posted{
    "billing.sum_posted",
    sql::sqlite("select coalesce(sum(units), 0) as units, count(*) as events from usage_events"
                " where user_id = $1 and period_start = $2 and (kind = 'grant' or kind = 'adjust')"
                " and event_id like $3 escape '\\'"),
    sql::postgres("select coalesce(sum(units), 0)::bigint as units, count(*) as events from usage_events"
                  " where user_id = $1 and period_start = $2 and kind in ('grant', 'adjust')"
                  " and event_id like $3 escape '\\'")};

[[noreturn]] void throw_no_period() { throw_bug("a period of the ledger is gone while it was used"); }

}  // namespace

std::optional<UsageEventRow> find_event_row(Read& tx, std::string_view event_id) { return tx.one(find_event, event_id); }
std::optional<UsageEventRow> find_end_row(Read& tx, UsageEventId reservation) { return tx.one(find_end, reservation); }
bool insert_event_row(Write& tx, UsageEventRow row) {
  row.payload_hash = hash_of(row);
  return tx.run(insert_event, row) == 1;
}

std::optional<Balance> find_balance(Read& tx, UserId user, Instant period_start) {
  return tx.one(find_period, user, period_start);
}

Balance lock_balance(Write& tx, UserId user, Instant period_start) {
  const auto found = tx.one(lock_period, user, period_start);
  if (!found) throw_no_period();
  return *found;
}

Balance add_to_balance(Write& tx, UserId user, Instant period_start, std::int64_t granted, std::int64_t used,
                       std::int64_t reserved) {
  const auto after = tx.one(add_to, user, period_start, granted, used, reserved, tx.now());
  if (!after) throw_no_period();
  return *after;
}

std::optional<Balance> reserve_of_balance(Write& tx, UserId user, Instant period_start, std::int64_t units) {
  return tx.one(reserve_of, user, period_start, units, tx.now());
}

std::string allowance_prefix(UserId user, Instant period_start) {
  return fmt::format("allowance:{}:{}", to_string(user), to_iso8601(period_start).substr(0, 10));
}

void lock_user(Write& tx, UserId user) {
  if (tx.engine() == Engine::postgres) tx.one(lock_user_row, user);
}

bool try_lock_user(Write& tx, UserId user) {
  return tx.engine() == Engine::sqlite || tx.one(try_lock_user_row, user).has_value();
}

std::optional<Balance> try_lock_balance(Write& tx, UserId user, Instant period_start) {
  return tx.one(try_lock_period, user, period_start);
}

OpenPeriod open_period(Write& tx, UserId user) {
  auto may = entitlement(tx, user, tx.now());
  if (const auto open = find_balance(tx, user, may.period.start)) return {std::move(may), *open};
  lock_user(tx, user);
  may = entitlement(tx, user, tx.now());
  const auto& period = may.period;
  const auto units = may.plan.compute_units_per_month * micro_per_unit;
  if (tx.run(insert_period, user, period.start, period.end, units, tx.now()) == 1) {
    const auto event_id = allowance_prefix(user, period.start) + "/1";
    const UsageEventRow row{
        tx.new_id<UsageEventId>(), event_id, user, UsageKind::grant, units, period.start, {}, {}, {}, {}, tx.now()};
    if (!insert_event_row(tx, row)) throw_bug("the allowance of a period was granted before the period was opened");
  }
  const auto open = find_balance(tx, user, period.start);
  if (!open) throw_no_period();
  return {std::move(may), *open};
}

Posted posted(Read& tx, UserId user, Instant period_start, std::string_view prefix) {
  return tx.value(sum_posted, user, period_start, store::like_prefix(std::string(prefix) + "/"));
}

void post_difference(Write& tx, UserId user, Instant period_start, std::string_view prefix, std::int64_t units) {
  if (units == 0) return;
  const auto before = posted(tx, user, period_start, prefix);
  const auto event_id = fmt::format("{}/{}", prefix, before.events + 1);
  const auto kind = units > 0 ? UsageKind::grant : UsageKind::adjust;
  const UsageEventRow row{tx.new_id<UsageEventId>(), event_id, user, kind, units, period_start, {}, {}, {}, {}, tx.now()};
  if (!insert_event_row(tx, row)) throw_bug("two wrote the same correction although the balance was locked");
  add_to_balance(tx, user, period_start, units, 0, 0);
}

}  // namespace quarry::billing
