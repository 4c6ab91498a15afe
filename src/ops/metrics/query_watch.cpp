#include "quarry/ops/query_watch.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "quarry/core/log_event.hpp"

namespace quarry::ops {
namespace {

constexpr std::string_view name_of_others = "(other)";

std::int64_t microseconds_of(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

void log_slow(const SlowQuery& slow) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(slow.duration).count();
  if (slow.left_out == 0)
    log::event(log::Level::warn, "slow query",
               {{"query", slow.name}, {"duration_ms", ms}, {"failed", slow.failed ? "yes" : "no"}});
  else
    log::event(
        log::Level::warn, "slow query",
        {{"query", slow.name}, {"duration_ms", ms}, {"failed", slow.failed ? "yes" : "no"}, {"left_out", slow.left_out}});
}

}  // namespace

QueryWatch::QueryWatch(QueryWatchOptions options) : options_(std::move(options)) {}

QueryWatch::Entry& QueryWatch::entry_of(std::string_view name) {
  if (const auto found = entries_.find(name); found != entries_.end()) return found->second;
  const auto known = entries_.size() < options_.names_max ? name : name_of_others;
  auto& entry = entries_[std::string(known)];
  entry.figures.name = known;
  return entry;
}

void QueryWatch::statement_ended(const sql::StatementReport& report) noexcept {
  try {
    std::optional<SlowQuery> slow;
    {
      const std::scoped_lock lock(mutex_);
      auto& entry = entry_of(report.name);
      const auto us = microseconds_of(report.duration);
      ++entry.figures.runs;
      entry.figures.failures += report.failed ? 1 : 0;
      entry.figures.total_us += us;
      entry.figures.longest_us = std::max(entry.figures.longest_us, us);
      if (options_.slow.count() > 0 && us >= options_.slow.count()) {
        const auto now = options_.now ? options_.now() : std::chrono::steady_clock::now();
        if (entry.told_at && now - *entry.told_at < options_.quiet) {
          ++entry.left_out;
        } else {
          slow = SlowQuery{report.name, std::chrono::microseconds(us), report.failed, std::exchange(entry.left_out, 0)};
          entry.told_at = now;
        }
      }
    }
    // Not under the lock: a log may be slow itself.
    if (slow && options_.tell)
      options_.tell(*slow);
    else if (slow)
      log_slow(*slow);
  } catch (const std::exception&) {
    // Memory has run out: a figure is missing, and the statement's own result counts.
  }
}

void QueryWatch::transaction_ended(const sql::TransactionReport& report) noexcept {
  const auto us = microseconds_of(report.duration);
  const auto& ends = TransactionFigures::ends_us;
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(ends, us) - ends.begin());
  const std::scoped_lock lock(mutex_);
  auto& figures = report.is_write ? writes_ : reads_;
  ++figures.buckets[bucket];
  ++figures.runs;
  figures.failures += report.failed ? 1 : 0;
  figures.total_us += us;
}

std::vector<QueryFigures> QueryWatch::queries() const {
  std::vector<QueryFigures> all;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, entry] : entries_) all.push_back(entry.figures);
  }
  std::ranges::stable_sort(all, std::greater(), &QueryFigures::total_us);
  return all;
}

TransactionFigures QueryWatch::reads() const {
  const std::scoped_lock lock(mutex_);
  return reads_;
}

TransactionFigures QueryWatch::writes() const {
  const std::scoped_lock lock(mutex_);
  return writes_;
}

}  // namespace quarry::ops
