/// The proof that the counters are the sums of their events, and that the events are what they were when they were written.

#include "billing/event_hash.hpp"
#include "billing/rules.hpp"
#include "quarry/billing/usage.hpp"

namespace quarry::billing {
namespace {

// A reserve counts until something names it as its reservation.
#define QUARRY_USAGE_SUMS(big)                                                                                          \
  " from (select p.user_id, p.period_start, p.granted, p.used, p.reserved,"                                             \
  "  coalesce((select sum(e.units) from usage_events e where e.user_id = p.user_id and e.period_start = p.period_start" \
  "   and (e.kind = 'grant' or e.kind = 'adjust')), 0)" big                                                             \
  " as granted_by_events,"                                                                                              \
  "  coalesce((select sum(e.units) from usage_events e where e.user_id = p.user_id and e.period_start = p.period_start" \
  "   and e.kind = 'settle'), 0)" big                                                                                   \
  " as used_by_events,"                                                                                                 \
  "  coalesce((select sum(e.units) from usage_events e where e.user_id = p.user_id and e.period_start = p.period_start" \
  "   and e.kind = 'reserve' and not exists (select 1 from usage_events x where x.reservation_id = e.id)), 0)" big      \
  " as reserved_by_events from usage_periods p"

#define QUARRY_USAGE_DIFFERENT                                                                            \
  ") sums where granted <> granted_by_events or used <> used_by_events or reserved <> reserved_by_events" \
  " order by user_id, period_start"

constexpr sql::Query<UsageDifference()> differences_of_all{
    "billing.check_usage", sql::sqlite("select *" QUARRY_USAGE_SUMS("") QUARRY_USAGE_DIFFERENT),
    sql::postgres("select *" QUARRY_USAGE_SUMS("::bigint") QUARRY_USAGE_DIFFERENT)};
constexpr sql::Query<UsageDifference(UserId)> differences_of_user{
    "billing.check_usage_of", sql::sqlite("select *" QUARRY_USAGE_SUMS("") " where p.user_id = $1" QUARRY_USAGE_DIFFERENT),
    sql::postgres("select *" QUARRY_USAGE_SUMS("::bigint") " where p.user_id = $1" QUARRY_USAGE_DIFFERENT)};
constexpr sql::Query<std::int64_t()> count_periods{"billing.count_periods", "select count(*) from usage_periods"};
constexpr sql::Query<std::int64_t(UserId)> count_periods_of{"billing.count_periods_of",
                                                            "select count(*) from usage_periods where user_id = $1"};

#define QUARRY_HASHED_EVENTS "select " QUARRY_USAGE_ROW_COLUMNS " from usage_events"
constexpr sql::Query<UsageEventRow()> events_of_all{"billing.hashed_events", QUARRY_HASHED_EVENTS " order by id"};
constexpr sql::Query<UsageEventRow(UserId)> events_of_user{"billing.hashed_events_of",
                                                           QUARRY_HASHED_EVENTS " where user_id = $1 order by id"};
#undef QUARRY_HASHED_EVENTS

}  // namespace

UsageCheck check_usage(Read& tx, std::optional<UserId> user) {
  if (!user && !tx.actor().sees_all()) user = tx.actor().user_id();
  if (user) require_seen(tx, *user);
  UsageCheck check;
  check.periods = user ? tx.value(count_periods_of, *user) : tx.value(count_periods);
  check.differences = user ? tx.all(differences_of_user, *user) : tx.all(differences_of_all);
  const auto look = [&](const UsageEventRow& event) {
    ++check.events;
    if (event.payload_hash == hash_of(event)) return;
    ++check.altered;
    if (check.altered_events.size() < altered_events_max) check.altered_events.push_back(event.event_id);
  };
  // In bounded memory, however long the ledger is.
  if (user) {
    auto rows = tx.stream(events_of_user, *user);
    for (const auto& event : rows) look(event);
  } else {
    auto rows = tx.stream(events_of_all);
    for (const auto& event : rows) look(event);
  }
  return check;
}

}  // namespace quarry::billing
