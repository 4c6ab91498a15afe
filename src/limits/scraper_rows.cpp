#include <fmt/format.h>

#include "limits/rows.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/store/list.hpp"

namespace quarry::limits {
namespace {

/// As in api_rows.cpp, with the clock in `last_request_at`.
struct ScraperTake {
  Uuid id;
  std::string_view scraper_name;
  std::int64_t cost;
  Instant now;
  Instant tat_if_idle;
  Instant latest;
  Instant window_end;
};
BOOST_DESCRIBE_STRUCT(ScraperTake, (), (id, scraper_name, cost, now, tat_if_idle, latest, window_end))

constexpr sql::Command<Instant(ScraperTake)> take_scraper{
    "limits.take_scraper",
    sql::sqlite("insert into rate_limits as l (id, scraper_name, last_request_at, request_count, reset_at, tat)"
                " values ($1, $2, $4, $3, $7, $5)"
                " on conflict (scraper_name) do update set"
                "  tat = max(coalesce(l.tat, excluded.last_request_at), excluded.last_request_at)"
                "   + (excluded.tat - excluded.last_request_at),"
                "  request_count = case when coalesce(l.reset_at, 0) <= excluded.last_request_at then excluded.request_count"
                "   else l.request_count + excluded.request_count end,"
                "  reset_at = case when coalesce(l.reset_at, 0) <= excluded.last_request_at then excluded.reset_at"
                "   else l.reset_at end,"
                "  last_request_at = excluded.last_request_at"
                " where max(coalesce(l.tat, excluded.last_request_at), excluded.last_request_at)"
                "   + (excluded.tat - excluded.last_request_at) <= $6"
                " returning tat"),
    sql::postgres(
        "insert into rate_limits as l (id, scraper_name, last_request_at, request_count, reset_at, tat)"
        " values ($1, $2, $4, $3, $7, $5)"
        " on conflict (scraper_name) do update set"
        "  tat = greatest(l.tat, excluded.last_request_at) + (excluded.tat - excluded.last_request_at),"
        "  request_count = case when coalesce(l.reset_at <= excluded.last_request_at, true) then excluded.request_count"
        "   else l.request_count + excluded.request_count end,"
        "  reset_at = case when coalesce(l.reset_at <= excluded.last_request_at, true) then excluded.reset_at"
        "   else l.reset_at end,"
        "  last_request_at = excluded.last_request_at"
        " where greatest(l.tat, excluded.last_request_at) + (excluded.tat - excluded.last_request_at) <= $6"
        " returning tat")};

ScraperTake row_of(Write& tx, const Scraper& key, const Limit& limit, const Arrival& at, std::int64_t cost) {
  return {tx.new_uuid(), key.name, cost, at.now, at.tat_if_idle, at.latest, at.now + limit.period};
}

constexpr sql::Query<std::optional<Instant>(std::string_view)> find_scraper_tat{
    "limits.find_scraper", "select tat from rate_limits where scraper_name = $1"};
constexpr sql::Command<void(std::string_view)> delete_scraper{"limits.reset_scraper",
                                                              "delete from rate_limits where scraper_name = $1"};
/// The condition stands twice as in api_rows.cpp.
constexpr sql::Command<void(Instant, Instant, int)> sweep_scraper_rows{
    "limits.sweep_scrapers",
    "delete from rate_limits where id in (select id from rate_limits where (last_request_at is null or last_request_at < $2)"
    " and (tat is null or tat < $1) order by scraper_name limit $3)"
    " and (last_request_at is null or last_request_at < $2) and (tat is null or tat < $1)"};
constexpr sql::Query<ScraperLimitRow(std::string_view)> find_scraper_row{
    "limits.show_scraper",
    "select id, scraper_name, last_request_at, request_count, reset_at, tat from rate_limits where scraper_name = $1"};

/// The accounts count wrong passwords in the same table (accounts/login.hpp): whoever could reset such a row could guess on.
constexpr std::string_view logins_start = "login:";

constexpr store::ListOf<ScraperLimitRow> all_scrapers{
    "limits.list_scrapers", "id, scraper_name, last_request_at, request_count, reset_at, tat", "rate_limits"};

}  // namespace

void check_key(const Actor& actor, const Scraper& key) {
  store::check_text("the scraper's name", key.name, 1, 50);
  require_system(actor, "the limits of scrapers");
  if (key.name.starts_with(logins_start))
    throw_invalid(
        fmt::format("the scraper '{}': names that begin with '{}' are those of wrong passwords", key.name, logins_start));
}

std::optional<Instant> take_row(Write& tx, const Scraper& key, const Limit& limit, const Arrival& at, std::int64_t cost) {
  return tx.one(take_scraper, row_of(tx, key, limit, at, cost));
}

std::unique_ptr<PreparedTake> prepare_take(Write& tx, const Scraper& key, const Limit& limit, const Arrival& at,
                                           std::int64_t cost) {
  return std::make_unique<PreparedRow<ScraperTake>>(take_scraper.statement, row_of(tx, key, limit, at, cost));
}

std::optional<Instant> tat_of(Read& tx, const Scraper& key) {
  return tx.one(find_scraper_tat, key.name).value_or(std::nullopt);
}

bool delete_row(Write& tx, const Scraper& key) { return tx.run(delete_scraper, key.name) > 0; }

std::int64_t sweep_scrapers(Write& tx, Instant now, Instant idle_since, int limit) {
  return tx.run(sweep_scraper_rows, now, idle_since, limit);
}

std::optional<ScraperLimitRow> find(Read& tx, const Scraper& key) {
  check_key(tx.actor(), key);
  return tx.one(find_scraper_row, key.name);
}

Page<ScraperLimitRow> list_scrapers(Read& tx, const PageRequest& page) {
  const store::Order<ScraperLimitRow> by_name{
      "scraper_name", tx.engine() == Engine::postgres ? "scraper_name collate \"C\"" : "scraper_name",
      [](const ScraperLimitRow& row) { return store::key(row.scraper_name); }};
  require_system(tx.actor(), "the limits of scrapers");
  // As a range, which the index over the names knows: the character behind the colon is the semicolon.
  const store::Conditions where("not (scraper_name >= 'login:' and scraper_name < 'login;')");
  return store::list(tx, all_scrapers, by_name, store::Direction::ascending, where, page);
}

}  // namespace quarry::limits
