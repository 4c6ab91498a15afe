#pragma once
/// What the queue holds: tasks, the states they go through, and the words for both.
///
///                                  due
///     enqueue ──► scheduled ─────────────► pending ──claim──► processing ──finish──► completed
///        │            ▲                      ▲ ▲                  │
///        │            └── retry, with backoff│─┼───── fail ───────┤──► failed  (not worth a retry)
///        ├──► blocked ── its job may start ──┘ │                  ├──► dead    (retries or stalls used up)
///        │                                     └─── release ──────┘
///        └──► (any that is not processing) ──► cancelled, paused
///
/// Delivery is at least once; effects are exactly once, because `finish` belongs to the same transaction as the effects and
/// is refused to whoever has lost the lease (the fencing token, Q1 and Q2 of the field's known defects).
///
/// Errors: none. Thread safety: values and pure functions.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/codec.hpp"

namespace quarry::queue {

enum class TaskStatus {
  scheduled,   ///< due later: asked for, or waiting for its next try
  pending,     ///< may run now, as far as its host allows
  blocked,     ///< waits for another job to end
  paused,      ///< its job was paused
  processing,  ///< somebody holds its lease
  completed,
  failed,  ///< gave up without another try
  cancelled,
  dead,  ///< tries or stalls used up: the dead letters
};
BOOST_DESCRIBE_ENUM(TaskStatus, scheduled, pending, blocked, paused, processing, completed, failed, cancelled, dead)

/// Whether a task in this state may still run.
constexpr bool is_open(TaskStatus status) {
  return status == TaskStatus::scheduled || status == TaskStatus::pending || status == TaskStatus::blocked ||
         status == TaskStatus::paused || status == TaskStatus::processing;
}

/// A queue's key; `open_queue` gives it. Never reused.
struct QueueId {
  std::int64_t value = 0;
  friend auto operator<=>(const QueueId&, const QueueId&) = default;
};

constexpr int priority_highest = 1;
constexpr int priority_default = 5;
constexpr int priority_lowest = 10;

/// A task waits this long to outrank a newcomer of the next higher priority: priorities order the work, and nothing starves.
/// The order of claiming is one number, `rank` = due time + (priority - 1) * this, so that aging costs nothing.
constexpr std::chrono::microseconds aging_step = std::chrono::minutes(2);

/// A task as it is stored.
struct Task {
  TaskId id = 0;
  std::int64_t queue_id = 0;
  std::optional<UserId> user_id;
  std::optional<JobId> job_id;
  std::string task_type;
  Json payload;
  TaskStatus status = TaskStatus::pending;
  int priority = priority_default;
  Instant scheduled_at;
  std::int64_t rank = 0;
  std::optional<std::int64_t> host_id;
  std::optional<std::string> unique_key;
  std::int64_t lease_token = 0;
  std::optional<Instant> lease_until;
  std::optional<std::string> worker;
  int retry_count = 0;
  int max_retries = 0;
  int stall_count = 0;
  int max_stalls = 0;
  bool cancel_requested = false;
  std::optional<std::string> error_message;
  std::optional<Json> result;
  Instant created_at;
  std::optional<Instant> started_at;
  std::optional<Instant> completed_at;
};
BOOST_DESCRIBE_STRUCT(Task, (),
                      (id, queue_id, user_id, job_id, task_type, payload, status, priority, scheduled_at, rank, host_id,
                       unique_key, lease_token, lease_until, worker, retry_count, max_retries, stall_count, max_stalls,
                       cancel_requested, error_message, result, created_at, started_at, completed_at))

}  // namespace quarry::queue

template <>
struct quarry::sql::Codec<quarry::queue::QueueId> {
  static constexpr Kind kind = Kind::int64;
  static Param to_param(queue::QueueId id) { return Param::make_integer(kind, id.value); }
  static queue::QueueId read(const Cursor& c, int column) { return {c.get_int64(column)}; }
};
