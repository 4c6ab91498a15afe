#pragma once
/// Why a job does not get on, from the data.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/jobs/job.hpp"
#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

struct TaskCount {
  queue::TaskStatus status = queue::TaskStatus::pending;
  std::int64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(TaskCount, (), (status, n))

/// A host that the job's pending tasks wait for.
struct WaitingHost {
  std::string host_key;
  std::int64_t tasks = 0;  ///< of this job
  int in_flight = 0;       ///< of everybody
  int max_in_flight = 0;
  int delay_ms = 0;
  int backoff_count = 0;
  Instant free_at;  ///< no start before; in the past when it is free
};
BOOST_DESCRIBE_STRUCT(WaitingHost, (), (host_key, tasks, in_flight, max_in_flight, delay_ms, backoff_count, free_at))

enum class Reason {
  ended,              ///< the job has ended
  paused,             ///< somebody paused the job
  queue_paused,       ///< somebody paused the queue
  no_tasks,           ///< it has no tasks yet
  waits_for_job,      ///< it depends on a job that has not ended
  working,            ///< tasks are being worked on
  workers_lost,       ///< who worked on tasks has not been heard of: the next claim takes them back
  waits_for_time,     ///< its tasks are due later; retries wait here too
  waits_for_hosts,    ///< the hosts it wants to ask are blocked, resting or busy
  waits_for_workers,  ///< tasks may run now: nobody has taken them yet
};
BOOST_DESCRIBE_ENUM(Reason, ended, paused, queue_paused, no_tasks, waits_for_job, working, workers_lost, waits_for_time,
                    waits_for_hosts, waits_for_workers)

struct Finding {
  Reason reason = Reason::ended;
  std::string message;  ///< a sentence for people, with the remedy where there is one
};
BOOST_DESCRIBE_STRUCT(Finding, (), (reason, message))

struct Explanation {
  JobId job_id;
  JobStatus status = JobStatus::pending;
  std::vector<Finding> findings;    ///< the most telling first; never empty
  std::vector<TaskCount> tasks;     ///< by state; states without tasks are left out
  std::vector<WaitingHost> hosts;   ///< with the most waiting tasks first, at most 10
  std::optional<Instant> next_due;  ///< of its scheduled tasks
};
BOOST_DESCRIBE_STRUCT(Explanation, (), (job_id, status, findings, tasks, hosts, next_due))

/// Throws `not_found`. Reads the job's tasks through their index: its cost grows with their number.
Explanation explain(Read& tx, JobId id);

}  // namespace quarry::jobs
