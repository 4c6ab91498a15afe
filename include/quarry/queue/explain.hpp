#pragma once
/// Why a task is not running, and when it will: from the data, in words.
///
/// Errors: `not_found`. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

enum class Reason {
  not_found,          ///< there is no such task, or its retention is over
  ended,              ///< completed, failed, cancelled or dead
  running,            ///< a worker has it
  lease_expired,      ///< its worker has not been heard of: the next claim or sweep takes it back
  cancel_requested,   ///< it runs, and was asked to stop
  queue_paused,       ///< nothing of its queue is handed out
  due_later,          ///< it was asked for at a later time
  kept_back,          ///< a gate did not let it run: a quota, or a limit of its user's
  waits_for_retry,    ///< it failed, and its next try is due later
  waits_for_job,      ///< its job depends on one that has not ended
  job_paused,         ///< its job was paused
  host_blocked,       ///< its host asked to be left alone, or an operator did
  host_delay,         ///< its host was asked a moment ago
  host_busy,          ///< its host has as many tasks in flight as it allows
  behind_others,      ///< tasks of better rank come first
  waits_for_workers,  ///< it may run now: nobody has taken it yet
};
BOOST_DESCRIBE_ENUM(Reason, not_found, ended, running, lease_expired, cancel_requested, queue_paused, due_later, kept_back,
                    waits_for_retry, waits_for_job, job_paused, host_blocked, host_delay, host_busy, behind_others,
                    waits_for_workers)

struct Finding {
  Reason reason = Reason::not_found;
  std::string message;  ///< a sentence for people, with the remedy where there is one
};
BOOST_DESCRIBE_STRUCT(Finding, (), (reason, message))

/// A task that takes up a place of the host.
struct Holder {
  TaskId id = 0;
  std::optional<std::string> worker;
  std::optional<Instant> started_at;
  std::optional<Instant> lease_until;
};
BOOST_DESCRIBE_STRUCT(Holder, (), (id, worker, started_at, lease_until))

struct Explanation {
  TaskId id = 0;
  std::optional<TaskStatus> status;  ///< nothing when it was not found
  std::vector<Finding> findings;     ///< what holds it longest first; never empty
  /// When it can run at the earliest, by the clock alone: its time, its host's block and delay, and the host's tasks before
  /// it. `now` or earlier when only a worker is missing. Nothing when it depends on what somebody does, and when it runs or
  /// has ended.
  std::optional<Instant> runs_at;
  std::vector<Holder> holders;  ///< of the host's places, when they are all taken; at most 10, the oldest lease first
  int attempts = 0;             ///< that ended without success
};
BOOST_DESCRIBE_STRUCT(Explanation, (), (id, status, findings, runs_at, holders, attempts))

/// Tasks ahead are counted up to this number.
constexpr int ahead_max = 1'000;

/// Costs a handful of index look-ups, and at most `ahead_max` entries of one index.
Explanation explain(Read& tx, TaskId task, Instant now);

}  // namespace quarry::queue
