#pragma once
/// One row per user and day (UTC): what charts and invoices show.
///
/// Rolled up from the ledger and the queue, as often as one likes: a day that is rolled up again comes out the same, or
/// larger where more has happened since. Tasks that were purged meanwhile stay counted.
///
/// Errors: `invalid` (a date that is none, a limit out of bounds), `denied`, `not_found` (no such user). Thread safety:
/// that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::billing {

struct DailyUsage {
  UserId user_id;
  std::string date;                     ///< `2026-03-01`
  std::int64_t tasks_executed = 0;      ///< tasks that ended on that day: completed, failed or dead
  std::int64_t compute_units_used = 0;  ///< micro-units that were settled on that day
  std::int64_t api_calls = 0;
};
BOOST_DESCRIBE_STRUCT(DailyUsage, (), (user_id, date, tasks_executed, compute_units_used, api_calls))

/// Rolls up the day that `at` lies in, for every user with something to show. Returns the number of rows that it wrote.
/// Throws `denied` for whoever is neither the system nor an admin.
std::int64_t roll_up(Write& tx, Instant at);

/// Adds to the calls of today. For the service that answers them: `denied` as above.
void count_api_calls(Write& tx, UserId user, std::int64_t calls = 1);

/// Days of a user, or of all, the newest first; `from` and `until` are dates, both included.
struct DailyFilter {
  std::optional<UserId> user_id{};
  std::string from{};
  std::string until{};
};
/// At most `limit` (1 to 1000) rows, the newest day first.
std::vector<DailyUsage> daily_usage(Read& tx, const DailyFilter& filter, int limit = 100);

}  // namespace quarry::billing
