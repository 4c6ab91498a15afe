#include "quarry/limits/gcra.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/error.hpp"

namespace quarry::limits {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t requests_max = 1'000'000;
constexpr microseconds period_max = std::chrono::days(366);
constexpr microseconds refill_max = 100 * period_max;

std::int64_t remaining_at(const Limit& limit, Instant now, Instant tat) {
  const auto room = limit.burst_or_all() * limit.interval() - std::max(tat - now, microseconds(0));
  return std::max<std::int64_t>(room / limit.interval(), 0);
}

}  // namespace

microseconds Limit::interval() const noexcept { return microseconds((period.count() + requests - 1) / requests); }

void check(const Limit& limit) {
  if (limit.requests < 1 || limit.requests > requests_max)
    throw_invalid(fmt::format("a limit of {} requests: it must be from 1 to {}", limit.requests, requests_max));
  if (limit.burst < 0 || limit.burst > requests_max)
    throw_invalid(
        fmt::format("a burst of {}: it must be from 1 to {}, or 0 for as many as the limit", limit.burst, requests_max));
  if (limit.period < microseconds(limit.requests) || limit.period > period_max)
    throw_invalid(fmt::format("a period of {} us: it must have a microsecond for each request, and be at most a year",
                              limit.period.count()));
  if (limit.burst_or_all() > refill_max / limit.interval())
    throw_invalid(
        fmt::format("a burst of {} at one request each {} us: it would take more than 100 years to come back, ask for "
                    "at most {}",
                    limit.burst_or_all(), limit.interval().count(), refill_max / limit.interval()));
}

Arrival arrival(const Limit& limit, std::int64_t cost, Instant now) {
  check(limit);
  if (cost < 0 || cost > limit.burst_or_all())
    throw_invalid(
        fmt::format("a cost of {}: it must be from 0 to the limit's burst, which is {}", cost, limit.burst_or_all()));
  return {now, now + cost * limit.interval(), now + limit.burst_or_all() * limit.interval()};
}

Decision admitted(const Limit& limit, Instant now, Instant tat) {
  return {.admitted = true,
          .limit = limit.burst_or_all(),
          .remaining = remaining_at(limit, now, tat),
          .retry_after = {},
          .reset_after = std::max(tat - now, microseconds(0))};
}

Decision not_taken(const Limit& limit, std::int64_t cost, Instant now, std::optional<Instant> tat) {
  const auto known = tat.value_or(now);
  auto decision = admitted(limit, now, known);
  const auto at = arrival(limit, cost, now);
  const auto wait = std::max(known, now) + cost * limit.interval() - at.latest;
  decision.retry_after = std::max(wait, microseconds(0));
  decision.admitted = decision.retry_after == microseconds(0);
  return decision;
}

}  // namespace quarry::limits
