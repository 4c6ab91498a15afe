#include "accounts/login_guard.hpp"

#include <boost/describe.hpp>

#include "accounts/token_text.hpp"

namespace quarry::accounts {
namespace {

struct Count {
  std::int64_t request_count;
  std::optional<Instant> reset_at;
};
BOOST_DESCRIBE_STRUCT(Count, (), (request_count, reset_at))

constexpr sql::Query<Count(std::string_view)> find_count{
    "login.find_attempts", "select request_count, reset_at from rate_limits where scraper_name = $1"};
// `tat` says until when the row holds somebody back: before, it is not swept away with the limits that are idle.
constexpr sql::Command<Count(Uuid, std::string_view, Instant, Instant, int)> add_attempt{
    "login.count_attempt",
    "insert into rate_limits as r (id, scraper_name, last_request_at, request_count, reset_at, tat)"
    " values ($1, $2, $3, 1, $4, $4) on conflict (scraper_name) do update set last_request_at = $3,"
    " request_count = case when r.reset_at <= $3 then 1 else r.request_count + 1 end,"
    " reset_at = case when r.reset_at <= $3 or r.request_count + 1 = $5 then $4 else r.reset_at end,"
    " tat = case when r.reset_at <= $3 or r.request_count + 1 = $5 then $4 else r.reset_at end"
    " returning request_count, reset_at"};
constexpr sql::Command<void(std::string_view)> delete_attempts{"login.forget_attempts",
                                                               "delete from rate_limits where scraper_name = $1"};

std::string guard_named(const std::string& what) { return "login:" + sha256(what).substr(0, 40); }

}  // namespace

std::string guard_of(UserId user) { return guard_named("user " + to_string(user)); }

std::string guard_of(std::string_view unknown_name) {
  std::string folded(unknown_name);
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return guard_named("name " + folded);
}

std::optional<Instant> locked_until(Read& tx, const std::string& guard, const GuardRules& rules) {
  const auto count = tx.one(find_count, guard);
  if (!count || count->request_count < rules.failures_max || !count->reset_at || *count->reset_at <= tx.now())
    return std::nullopt;
  return count->reset_at;
}

CountedAttempt count_attempt(Write& tx, const std::string& guard, const GuardRules& rules) {
  const auto count = tx.value(add_attempt, tx.new_uuid(), guard, tx.now(), tx.now() + rules.window, rules.failures_max);
  return {count.request_count > rules.failures_max ? count.reset_at : std::nullopt,
          count.request_count == rules.failures_max};
}

bool forget_attempts(Write& tx, const std::string& guard) { return tx.run(delete_attempts, guard) > 0; }

}  // namespace quarry::accounts
