#pragma once
/// Rate limits that hold for everybody who shares the database: API calls per user and endpoint, and requests per scraper.
///
///     const limits::Limit limit{.requests = 100, .period = 15min};
///     const auto decision = limits::take_now(db, limits::ApiCall{user, "GET /jobs"}, limit);
///     if (!decision.admitted) return too_many_requests(decision.retry_after);
///
/// Each take is one statement, exact however many ask at once (`gcra.hpp` has the law). Call it in a transaction of its own,
/// which `take_now` does: inside of a longer one the row stays locked until that commits, and a rollback would give back
/// what was taken.
///
/// The clock is the transaction's (`Read::now`). Who waits for the row has an older one by then, which can only deny more.
///
/// **Who may**: a user takes from their own limits and looks at them. The limits of scrapers are everybody's, so they are
/// the system's and the admins' business, and so are resets and sweeps: whoever is held back does not let themself go.
///
/// Errors: `invalid` (a limit, a cost or a name out of its bounds), `not_found` (no such user), `denied` (the actor may
/// not). Being held back by a limit is no error. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quarry/limits/gcra.hpp"
#include "quarry/sql/database.hpp"
#include "quarry/store/page.hpp"

namespace quarry::limits {

/// A user's calls of one endpoint; `endpoint` has 1 to 100 characters.
struct ApiCall {
  UserId user_id{};
  std::string endpoint{};
};
/// A scraper's requests; the name has 1 to 50 characters and does not begin with `login:`, under which wrong passwords are
/// counted.
struct Scraper {
  std::string name{};
};
using Key = std::variant<ApiCall, Scraper>;

/// Takes `cost` from the limit if there is as much.
Decision take(Write& tx, const Key& key, const Limit& limit, std::int64_t cost = 1);
/// The same in a transaction of its own.
Decision take_now(const Database& db, const Key& key, const Limit& limit, std::int64_t cost = 1);
/// What `take` would say, without taking.
Decision peek(Read& tx, const Key& key, const Limit& limit, std::int64_t cost = 1);

struct Take {
  Key key{};
  Limit limit{};
  std::int64_t cost = 1;
};
/// All of them, or none: the decisions stand in the order of `takes`. When one is denied, so are all, and those that would
/// have been admitted have a `retry_after` of zero.
std::vector<Decision> take_all(Write& tx, std::span<const Take> takes);

/// Forgets what was taken. False when nothing was.
bool reset(Write& tx, const Key& key);

/// A limit's row, as it is stored. The counter and its window are for people; what decides is `tat`.
struct ApiLimitRow {
  Uuid id;
  UserId user_id;
  std::string endpoint;
  std::int64_t request_count = 0;  ///< admitted since `window_start`
  Instant window_start;
  std::optional<Instant> tat;
};
BOOST_DESCRIBE_STRUCT(ApiLimitRow, (), (id, user_id, endpoint, request_count, window_start, tat))
struct ScraperLimitRow {
  Uuid id;
  std::string scraper_name;
  std::optional<Instant> last_request_at;
  std::int64_t request_count = 0;  ///< admitted in the window that ends at `reset_at`
  std::optional<Instant> reset_at;
  std::optional<Instant> tat;
};
BOOST_DESCRIBE_STRUCT(ScraperLimitRow, (), (id, scraper_name, last_request_at, request_count, reset_at, tat))

/// A key's row; nothing when nobody has asked, or the row has been swept.
std::optional<ApiLimitRow> find(Read& tx, const ApiCall& key);
/// The same of a scraper.
std::optional<ScraperLimitRow> find(Read& tx, const Scraper& key);
/// By endpoint; of one user, or of all that the actor sees.
Page<ApiLimitRow> list_api(Read& tx, std::optional<UserId> user = {}, const PageRequest& page = {});
/// By name.
Page<ScraperLimitRow> list_scrapers(Read& tx, const PageRequest& page = {});

/// Deletes up to `limit` rows of each kind that have not been asked for `idle` and hold nobody back: they say nothing any
/// more. Returns how many; call again while it returns `limit` or more.
std::int64_t sweep(Write& tx, std::chrono::microseconds idle, int limit = 1'000);

}  // namespace quarry::limits
