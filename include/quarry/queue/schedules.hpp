#pragma once
/// Work that comes back by the clock: schedules are rows, so they survive every restart, and firing one is a transaction, so
/// that any number of supervisors fire each of its times once.
///
///     auto nightly = create_schedule(tx, {.user_id = ada, .name = "nightly", .cron = "30 2 * * *", .queue = "crawl"});
///     while (db.write([](Write& tx) { return fire_due(tx); }).schedules > 0) {}      // a supervisor, whenever next_firing
///     is due
///
/// A *time* is a moment that the cron expression names. Every firing moves `next_run_at` to the next time in the transaction
/// that puts in the task; PostgreSQL's supervisors pass by the rows that another one holds (SKIP LOCKED), SQLite has one
/// writer.
///
/// Errors: `invalid`, `conflict`, as each function says. Thread safety: that of the transaction.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

using ScheduleId = Id<struct ScheduleTag>;

/// When a schedule is due and its last run has not ended.
enum class OverlapPolicy {
  skip,   ///< this time is left out
  allow,  ///< they run side by side
};
BOOST_DESCRIBE_ENUM(OverlapPolicy, skip, allow)

/// When times passed that nobody fired, because no supervisor ran. A time counts as missed once it is `misfire_grace` old.
enum class MisfirePolicy {
  skip,      ///< missed times are left out
  run_once,  ///< all of them together are one run
  run_all,   ///< each is a run of its own (with `OverlapPolicy::skip` the first is)
};
BOOST_DESCRIBE_ENUM(MisfirePolicy, skip, run_once, run_all)

constexpr std::chrono::microseconds misfire_grace = std::chrono::minutes(1);
/// Runs of one schedule in one transaction; `fire_due` goes on with the next when it is called again.
constexpr int run_all_max = 100;

struct Schedule {
  ScheduleId id;
  UserId user_id;
  std::string name;
  std::string cron;
  std::string queue;
  std::string task_type;
  Json payload;
  std::optional<Json> job_config;
  int priority = priority_default;
  bool is_enabled = true;
  OverlapPolicy overlap_policy = OverlapPolicy::skip;
  MisfirePolicy misfire_policy = MisfirePolicy::run_once;
  std::optional<Instant> next_run_at;
  std::optional<Instant> last_run_at;
  std::optional<JobId> last_job_id;
  std::optional<TaskId> last_task_id;
};
BOOST_DESCRIBE_STRUCT(Schedule, (),
                      (id, user_id, name, cron, queue, task_type, payload, job_config, priority, is_enabled, overlap_policy,
                       misfire_policy, next_run_at, last_run_at, last_job_id, last_task_id))

struct NewSchedule {
  UserId user_id{};
  std::string name{};   ///< 1 to 100 characters, one of its kind for the user
  std::string cron{};   ///< see `Cron`
  std::string queue{};  ///< by name; made when the first task goes in
  std::string task_type{};
  Json payload{"{}"};
  std::optional<Json> job_config{};  ///< a job instead of a task; see `fire_due`
  int priority = priority_default;
  bool is_enabled = true;
  OverlapPolicy overlap_policy = OverlapPolicy::skip;
  MisfirePolicy misfire_policy = MisfirePolicy::run_once;
};

/// Throws `invalid` for a value out of bounds or a cron expression that is wrong, `conflict` when the user has one of that
/// name.
Schedule create_schedule(Write& tx, const NewSchedule& schedule);

/// What is given is changed. A new expression counts from now on.
struct ScheduleChange {
  std::optional<std::string> cron{};
  std::optional<std::string> queue{};
  std::optional<std::string> task_type{};
  std::optional<Json> payload{};
  std::optional<int> priority{};
  std::optional<OverlapPolicy> overlap_policy{};
  std::optional<MisfirePolicy> misfire_policy{};
};
/// Nothing when there is no such schedule. Throws like `create_schedule`.
std::optional<Schedule> update_schedule(Write& tx, ScheduleId id, const ScheduleChange& change);

/// A disabled schedule is never due; times that pass meanwhile are not missed. False when it was so already, or is not
/// there.
bool set_enabled(Write& tx, ScheduleId id, bool enabled);

/// What it has put in stays. False when it is not there.
bool delete_schedule(Write& tx, ScheduleId id);

/// By id; nothing when there is none.
std::optional<Schedule> find_schedule(Read& tx, ScheduleId id);
/// By the name that its user gave it.
std::optional<Schedule> find_schedule(Read& tx, UserId user, std::string_view name);
/// By name, at most `limit`, with names above `after`.
std::vector<Schedule> list_schedules(Read& tx, UserId user, std::string_view after = {}, int limit = 100);

/// Makes the job of a schedule that has a `job_config`, for the time `at`, and says which it is. The stores of jobs stand
/// above the queue, so whoever fires brings it along.
using SubmitJob = std::function<JobId(Write& tx, const Schedule& schedule, Instant at)>;

struct Fired {
  int schedules = 0;  ///< looked at; call again while there are any
  int runs = 0;       ///< tasks and jobs put in; a task's `scheduled_at` is its time
  int skipped = 0;    ///< times left out by a policy
};

/// Fires at most `limit` schedules that are due, the longest overdue first. Those that want a job are left alone without
/// `submit_job`. Should a schedule's stored expression no longer be understood, it is disabled, with a line in the log.
Fired fire_due(Write& tx, int limit = 100, const SubmitJob& submit_job = {});

/// When `fire_due` has something to do next; it may lie in the past.
std::optional<Instant> next_firing(Read& tx);

}  // namespace quarry::queue
