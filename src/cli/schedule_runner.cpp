#include "cli/schedule_runner.hpp"

#include <fmt/format.h>

#include "cli/commands/crawl_submit.hpp"
#include "quarry/core/log.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/ops/policy.hpp"
#include "quarry/queue/schedules.hpp"

namespace quarry::cli {
namespace {

/// How late a schedule that was just made may be seen.
constexpr std::chrono::milliseconds look_interval{1'000};

/// A schedule's crawl. A config that this program cannot read (a newer one wrote it) gives a failed job, for people to find.
JobId submit(Write& tx, const queue::Schedule& schedule, Instant at) {
  jobs::NewJob job;
  job.user_id = schedule.user_id;
  job.title = fmt::format("{} ({})", schedule.name, to_iso8601(at));
  job.priority = schedule.priority;
  job.scheduled_at = at;
  job.config = *schedule.job_config;
  job.open_jobs_max = ops::read_policy(tx).open_jobs_max;
  std::string reason;
  try {
    const auto config = crawl::parse_job_config(schedule.job_config->text);
    if (config.target_url) return tx.attempt([&] { return submit_crawl(tx, job, config).job.id; });
    reason = "the schedule's crawl has no target";
  } catch (const Error& error) {
    // A conflict: the user has all the open jobs that they may.
    if (error.code() != ErrorCode::invalid && (error.code() != ErrorCode::conflict || error.retryable())) throw;
    reason = error.client_message();
  }
  job.open_jobs_max.reset();
  const auto id = jobs::submit(tx, job).id;
  jobs::change_status(tx, id, jobs::JobStatus::failed, reason);
  return id;
}

}  // namespace

ScheduleRunner::ScheduleRunner(Database db) : db_(std::move(db)), thread_([this] { run(); }) {}

ScheduleRunner::~ScheduleRunner() {
  {
    const std::scoped_lock lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void ScheduleRunner::run() {
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    try {
      fire();
    } catch (const Error& error) {
      log::warn("schedules wait: {}", error.client_message());
    }
    lock.lock();
  } while (!ended_.wait_for(lock, look_interval, [&] { return end_; }));
}

void ScheduleRunner::fire() {
  const auto next = db_.read([](Read& tx) { return queue::next_firing(tx); });
  if (!next || *next > db_.now()) return;
  while (db_.write([](Write& tx) { return queue::fire_due(tx, 100, submit); }).schedules > 0) {
  }
}

}  // namespace quarry::cli
