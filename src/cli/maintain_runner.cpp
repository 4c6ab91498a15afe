#include "cli/maintain_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/ops/maintain.hpp"
#include "quarry/ops/maintain_settings.hpp"

namespace quarry::cli {
namespace {

/// How late a change of the settings, or a job that takes too long, may be seen.
constexpr std::chrono::milliseconds upkeep_interval{5'000};

std::chrono::microseconds spread(const Database& db, std::chrono::microseconds span) {
  return std::chrono::microseconds(span.count() / 10 * 9 + static_cast<std::int64_t>(db.random().below(
                                                               static_cast<std::uint64_t>(span.count() / 5) + 1)));
}

}  // namespace

MaintainRunner::MaintainRunner(Database db, artifacts::BlobStore& blobs, std::chrono::milliseconds first_after,
                               std::optional<system::KeyRing> keys)
    : db_(std::move(db)),
      blobs_(blobs),
      keys_(std::move(keys)),
      first_at_(db_.now() + spread(db_, first_after)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

MaintainRunner::~MaintainRunner() = default;  // the thread is asked to stop, and joined, before the rest goes

void MaintainRunner::run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  auto interval =
      std::clamp<std::chrono::microseconds>(first_at_ - db_.now(), std::chrono::milliseconds(10), upkeep_interval);
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      woken.wait_for(lock, stop, interval, [] { return false; });
    }
    interval = upkeep_interval;
    if (stop.stop_requested()) return;
    try {
      look(stop);
    } catch (const Error& error) {
      warn(error.client_message());
    } catch (const std::exception& error) {
      warn(error.what());
    }
  }
}

void MaintainRunner::look(std::stop_token stop) {
  ops::give_up_overdue_jobs(db_);
  if (!is_due()) return;
  const auto report = ops::maintain(db_, &blobs_, {.keys = keys_ ? &*keys_ : nullptr, .stop = std::move(stop)});
  if (!report.led) return;
  ++runs_;
  jitter_ = static_cast<double>(spread(db_, std::chrono::seconds(1)).count()) / 1e6;
  for (const auto& step : report.steps)
    if (step.outcome == ops::StepOutcome::failed)
      warn(fmt::format("step {} failed: {}. Remedy: {}", step.step, step.message.value_or(""), step.remedy.value_or("")));
}

bool MaintainRunner::is_due() {
  if (db_.now() < first_at_) return false;
  const auto [minutes, last] = db_.read([](Read& tx) {
    return std::pair(ops::maintain_setting(tx, "maintain.interval_minutes").value_or(0), ops::last_maintained(tx));
  });
  if (minutes == 0) return false;
  const std::chrono::microseconds interval(static_cast<std::int64_t>(static_cast<double>(minutes) * 6e7 * jitter_));
  // A clock that was set back does not put it off for ever.
  return !last || *last + interval <= db_.now() || *last > db_.now() + interval;
}

/// The same trouble again and again is told once.
void MaintainRunner::warn(const std::string& trouble) {
  if (trouble != last_trouble_) log::warn("maintenance: {}", trouble);
  last_trouble_ = trouble;
}

}  // namespace quarry::cli
