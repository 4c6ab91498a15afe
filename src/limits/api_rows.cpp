#include <fmt/format.h>

#include "limits/rows.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/store/list.hpp"

namespace quarry::limits {
namespace {

/// The clock comes in with the row (`created_at`) and is read back as `excluded`, so that the update calls no function of
/// time.
struct ApiTake {
  Uuid id;
  UserId user_id;
  std::string_view endpoint;
  std::int64_t cost;
  Instant now;
  Instant tat_if_idle;
  Instant latest;
  Instant window_over;  ///< a window that began before has ended
};
BOOST_DESCRIBE_STRUCT(ApiTake, (), (id, user_id, endpoint, cost, now, tat_if_idle, latest, window_over))

constexpr sql::Command<Instant(ApiTake)> take_api{
    "limits.take_api",
    sql::sqlite(
        "insert into api_rate_limits as l (id, user_id, endpoint, request_count, window_start, tat, created_at)"
        " values ($1, $2, $3, $4, $5, $6, $5)"
        " on conflict (user_id, endpoint) do update set"
        "  tat = max(coalesce(l.tat, excluded.created_at), excluded.created_at) + (excluded.tat - excluded.created_at),"
        "  request_count = case when l.window_start < $8 then excluded.request_count"
        "   else l.request_count + excluded.request_count end,"
        "  window_start = case when l.window_start < $8 then excluded.created_at else l.window_start end"
        " where max(coalesce(l.tat, excluded.created_at), excluded.created_at) + (excluded.tat - excluded.created_at) <= $7"
        " returning tat"),
    sql::postgres("insert into api_rate_limits as l (id, user_id, endpoint, request_count, window_start, tat, created_at)"
                  " values ($1, $2, $3, $4, $5, $6, $5)"
                  " on conflict (user_id, endpoint) do update set"
                  "  tat = greatest(l.tat, excluded.created_at) + (excluded.tat - excluded.created_at),"
                  "  request_count = case when l.window_start < $8 then excluded.request_count"
                  "   else l.request_count + excluded.request_count end,"
                  "  window_start = case when l.window_start < $8 then excluded.created_at else l.window_start end"
                  " where greatest(l.tat, excluded.created_at) + (excluded.tat - excluded.created_at) <= $7"
                  " returning tat")};

ApiTake row_of(Write& tx, const ApiCall& key, const Limit& limit, const Arrival& at, std::int64_t cost) {
  return {tx.new_uuid(), key.user_id, key.endpoint, cost, at.now, at.tat_if_idle, at.latest, at.now - limit.period};
}

constexpr sql::Query<std::optional<Instant>(UserId, std::string_view)> find_api_tat{
    "limits.find_api", "select tat from api_rate_limits where user_id = $1 and endpoint = $2"};
constexpr sql::Command<void(UserId, std::string_view)> delete_api{
    "limits.reset_api", "delete from api_rate_limits where user_id = $1 and endpoint = $2"};
/// The condition stands twice because a row may be taken from between the choice and the deletion: PostgreSQL looks again at
/// the outer one alone, and without it would forget that take.
constexpr sql::Command<void(Instant, Instant, int)> sweep_api_rows{
    "limits.sweep_api",
    "delete from api_rate_limits where id in (select id from api_rate_limits where window_start < $2"
    " and (tat is null or tat < $1) order by window_start limit $3) and window_start < $2 and (tat is null or tat < $1)"};
constexpr sql::Query<ApiLimitRow(UserId, std::string_view)> find_api_row{
    "limits.show_api",
    "select id, user_id, endpoint, request_count, window_start, tat from api_rate_limits"
    " where user_id = $1 and endpoint = $2"};

constexpr store::ListOf<ApiLimitRow> all_api{"limits.list_api", "id, user_id, endpoint, request_count, window_start, tat",
                                             "api_rate_limits"};

}  // namespace

void check_key(const Actor& actor, const ApiCall& key) {
  store::check_text("the endpoint", key.endpoint, 1, 100);
  if (!actor.sees(key.user_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(key.user_id)));
}

std::optional<Instant> take_row(Write& tx, const ApiCall& key, const Limit& limit, const Arrival& at, std::int64_t cost) {
  try {
    return tx.one(take_api, row_of(tx, key, limit, at, cost));
  } catch (const Error& error) {
    // The row's only reference is its user.
    if (error.code() != ErrorCode::constraint) throw;
    throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(key.user_id)));
  }
}

std::unique_ptr<PreparedTake> prepare_take(Write& tx, const ApiCall& key, const Limit& limit, const Arrival& at,
                                           std::int64_t cost) {
  return std::make_unique<PreparedRow<ApiTake>>(take_api.statement, row_of(tx, key, limit, at, cost));
}

std::optional<Instant> tat_of(Read& tx, const ApiCall& key) {
  return tx.one(find_api_tat, key.user_id, key.endpoint).value_or(std::nullopt);
}

bool delete_row(Write& tx, const ApiCall& key) { return tx.run(delete_api, key.user_id, key.endpoint) > 0; }

std::int64_t sweep_api(Write& tx, Instant now, Instant idle_since, int limit) {
  return tx.run(sweep_api_rows, now, idle_since, limit);
}

std::optional<ApiLimitRow> find(Read& tx, const ApiCall& key) {
  check_key(tx.actor(), key);
  return tx.one(find_api_row, key.user_id, key.endpoint);
}

Page<ApiLimitRow> list_api(Read& tx, std::optional<UserId> user, const PageRequest& page) {
  store::Conditions where;
  where.owned(tx.actor(), "user_id");
  if (user) where.add("user_id = {}", *user);
  const store::Order<ApiLimitRow> by_endpoint{"endpoint",
                                              tx.engine() == Engine::postgres ? "endpoint collate \"C\"" : "endpoint",
                                              [](const ApiLimitRow& row) { return store::key(row.endpoint); }};
  return store::list(tx, all_api, by_endpoint, store::Direction::ascending, where, page);
}

}  // namespace quarry::limits
