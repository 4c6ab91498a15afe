/// Rows that say nothing any more, the cache's budget, and bodies that nothing refers to.

#include <algorithm>

#include "ops/maintain/steps.hpp"
#include "quarry/artifacts/garbage.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/limits/limits.hpp"

namespace quarry::ops::upkeep {
namespace {

constexpr sql::Query<std::int64_t(Instant, Instant)> count_idle_limits{
    "maintain.count_idle_limits",
    "select (select count(*) from api_rate_limits where window_start < $2 and (tat is null or tat < $1))"
    " + (select count(*) from rate_limits where (last_request_at is null or last_request_at < $2)"
    "  and (tat is null or tat < $1))"};

}  // namespace

void sweep_limits(Step& step) {
  const std::chrono::hours idle(step.setting("maintain.limits_hours").value_or(24));
  const auto now = step.db().now();
  if (step.dry_run()) return step.count("rows", step.look(count_idle_limits, now, now - idle));
  step.in_batches("rows", [&](Write& tx) { return limits::sweep(tx, idle, step.rows()); });
}

void trim_cache(Step& step) {
  const auto bytes_max = step.setting("maintain.cache_mb").value_or(1'024) * 1'048'576;
  if (step.dry_run()) {
    const auto table = step.db().read([](Read& tx) { return cache::table_statistics(tx); });
    step.count("expired", table.expired);
    return step.count("bytes over the budget", std::max<std::int64_t>(table.bytes - bytes_max, 0));
  }
  step.in_batches("expired", [&](Write& tx) { return cache::purge_expired(tx, step.rows()); });
  step.in_batches("evicted", [&](Write& tx) { return cache::evict(tx, bytes_max, step.rows()); });
}

void collect_bodies(Step& step) {
  if (!step.blobs()) return step.skip("there is no folder of bodies here");
  auto begin = std::chrono::steady_clock::now();
  artifacts::GarbageOptions options{.dry_run = step.dry_run(), .rows_per_transaction = step.rows()};
  options.progress = [&](const artifacts::GarbageResult&) {
    step.rest(begin);
    begin = std::chrono::steady_clock::now();
  };
  const auto found = artifacts::collect_garbage(step.db(), *step.blobs(), options);
  step.count("bodies", found.blobs);
  step.count("stray files", found.stray_files);
  step.count("half-written files", found.abandoned_files);
  step.count("bytes", found.blob_bytes + found.stray_bytes + found.abandoned_bytes);
}

}  // namespace quarry::ops::upkeep
