#include "quarry/billing/analytics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "billing/rules.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/conditions.hpp"
#include "quarry/store/page.hpp"

namespace quarry::billing {
namespace {

struct Share {
  UserId user_id;
  std::int64_t tasks;
  std::int64_t units;
};
BOOST_DESCRIBE_STRUCT(Share, (), (user_id, tasks, units))

constexpr sql::Query<Share(Instant, Instant)> tasks_of_day{
    "billing.tasks_of_day",
    sql::sqlite("select user_id, count(*) as tasks, 0 as units from task_queue"
                " where completed_at is not null and completed_at >= $1 and completed_at < $2 and user_id is not null"
                " and status <> 'cancelled' group by user_id order by user_id"),
    sql::postgres("select user_id, count(*) as tasks, 0::bigint as units from task_queue"
                  " where completed_at is not null and completed_at >= $1 and completed_at < $2 and user_id is not null"
                  " and status <> 'cancelled' group by user_id order by user_id")};
// By the ids, which begin with the time at which they were made: a day of the ledger instead of all of it.
constexpr sql::Query<Share(Instant, Instant, Uuid, Uuid)> units_of_day{
    "billing.units_of_day",
    sql::sqlite("select user_id, 0 as tasks, sum(units) as units from usage_events"
                " where kind = 'settle' and created_at >= $1 and created_at < $2 and id >= $3 and id < $4 group by user_id "
                "order by user_id"),
    sql::postgres("select user_id, 0::bigint as tasks, sum(units)::bigint as units from usage_events"
                  " where kind = 'settle' and created_at >= $1 and created_at < $2 and id >= $3 and id < $4 group by "
                  "user_id order by user_id")};

struct DayRow {
  Uuid id;
  UserId user_id;
  std::string date;
  std::int64_t tasks;
  std::int64_t units;
  std::int64_t calls;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(DayRow, (), (id, user_id, date, tasks, units, calls, now))

// The ledger keeps everything, so its sum stands; ended tasks are purged, so their number does not fall.
constexpr sql::Command<void(DayRow)> put_day{
    "billing.put_day",
    sql::sqlite("insert into usage_analytics (id, user_id, date, tasks_executed, compute_units_used, api_calls, created_at,"
                " updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)"
                " on conflict (user_id, date) do update set tasks_executed = max(tasks_executed, excluded.tasks_executed),"
                " compute_units_used = excluded.compute_units_used, updated_at = excluded.updated_at"),
    sql::postgres(
        "insert into usage_analytics (id, user_id, date, tasks_executed, compute_units_used, api_calls, created_at,"
        " updated_at) values ($1, $2, $3::text::date, $4, $5, $6, $7, $7)"
        " on conflict (user_id, date) do update"
        " set tasks_executed = greatest(usage_analytics.tasks_executed, excluded.tasks_executed),"
        " compute_units_used = excluded.compute_units_used, updated_at = excluded.updated_at")};
constexpr sql::Command<void(DayRow)> add_calls{
    "billing.add_calls",
    sql::sqlite("insert into usage_analytics (id, user_id, date, tasks_executed, compute_units_used, api_calls, created_at,"
                " updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)"
                " on conflict (user_id, date) do update set api_calls = api_calls + excluded.api_calls,"
                " updated_at = excluded.updated_at"),
    sql::postgres(
        "insert into usage_analytics (id, user_id, date, tasks_executed, compute_units_used, api_calls, created_at,"
        " updated_at) values ($1, $2, $3::text::date, $4, $5, $6, $7, $7)"
        " on conflict (user_id, date) do update set api_calls = usage_analytics.api_calls + excluded.api_calls,"
        " updated_at = excluded.updated_at")};

/// The smallest id of version 7 that is made at `at`.
Uuid first_id_at(Instant at) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(at.us, 0) / 1000);
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  return id;
}

std::string date_of(Instant at) { return to_iso8601(at).substr(0, 10); }

void check_date(std::string_view name, const std::string& date) {
  if (date.empty()) return;
  try {
    if (date.size() == 10 && date_of(parse_iso8601(date + "T00:00:00Z")) == date) return;
  } catch (const Error&) {
  }
  throw_invalid(fmt::format("{} '{}': it must be a date like 2026-03-01", name, date.substr(0, 40)));
}

}  // namespace

std::int64_t roll_up(Write& tx, Instant at) {
  require_admin(tx, "the roll-up of usage");
  constexpr std::int64_t day = 86'400'000'000;
  const auto back = at.us % day;
  const Instant start{at.us - (back < 0 ? back + day : back)};
  const Instant end{start.us + day};
  std::map<UserId, Share> shares;
  const auto add = [&](const std::vector<Share>& found) {
    for (const auto& share : found) {
      auto& sum = shares[share.user_id];
      sum.tasks += share.tasks;
      sum.units += share.units;
    }
  };
  constexpr auto slack = std::chrono::hours(1);  // between an event's id and its time
  add(tx.all(tasks_of_day, start, end));
  add(tx.all(units_of_day, start, end, first_id_at(start - slack), first_id_at(end + slack)));
  for (const auto& [user, share] : shares)
    tx.run(put_day, {tx.new_uuid(), user, date_of(start), share.tasks, share.units, 0, tx.now()});
  return static_cast<std::int64_t>(shares.size());
}

void count_api_calls(Write& tx, UserId user, std::int64_t calls) {
  require_admin(tx, "counting calls");
  if (calls < 1 || calls > 1'000'000'000) throw_invalid(fmt::format("{} calls: they must be from 1 to 1000000000", calls));
  tx.run(add_calls, {tx.new_uuid(), user, date_of(tx.now()), 0, 0, calls, tx.now()});
}

std::vector<DailyUsage> daily_usage(Read& tx, const DailyFilter& filter, int limit) {
  store::check_page({.limit = limit});
  check_date("from", filter.from);
  check_date("until", filter.until);
  const std::string_view as_date = tx.engine() == Engine::postgres ? "::text::date" : "";
  store::Conditions where;
  where.owned(tx.actor(), "user_id");
  if (filter.user_id) where.add("user_id = {}", *filter.user_id);
  if (!filter.from.empty()) where.add(fmt::format("date >= {{}}{}", as_date), filter.from);
  if (!filter.until.empty()) where.add(fmt::format("date <= {{}}{}", as_date), filter.until);
  const std::string place = where.place(sql::Codec<std::int64_t>::to_param(limit));
  const auto text = fmt::format(
      "select user_id, {} as date, tasks_executed, compute_units_used, api_calls from usage_analytics{}"
      " order by date desc, user_id limit {}",
      tx.engine() == Engine::postgres ? "date::text" : "date", where.text(), place);
  const sql::Statement statement{"billing.daily_usage", text, text, false};
  std::vector<DailyUsage> days;
  sql::OpenCursor cursor(tx.session().execute(statement, where.params()));
  while (cursor->step()) days.push_back(sql::read_row<DailyUsage>(*cursor));
  return days;
}

}  // namespace quarry::billing
