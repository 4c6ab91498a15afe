#pragma once
/// What a change of tasks does to the rows around them: the queue's counters, the hosts' and the jobs' figures.
///
/// Operations note each task's change here and apply the sums once at the end: one statement per table however many tasks
/// there were, and always in the order tasks, jobs, hosts, queues, each by key, so that transactions that meet do not
/// deadlock. Jobs come before hosts because a transaction often enqueues and then finishes for the same job: it holds the
/// job before it asks for hosts, and another one for that job waits there. Who has a job before its tasks (a pause, a
/// cancellation, a purge) waits for none of them: see control.hpp.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// The part of a task that the rows around it care about.
struct TaskRefs {
  std::int64_t queue_id = 0;
  std::optional<std::int64_t> host_id;
  std::optional<JobId> job_id;
};

class Effects {
 public:
  /// A task was put in.
  void added(const TaskRefs& task, TaskStatus status);
  /// A task went from one state to another.
  void moved(const TaskRefs& task, TaskStatus from, TaskStatus to);
  /// A finished task was deleted for good.
  void removed(const TaskRefs& task, TaskStatus status);

  /// The sums for hosts and counters of both.
  void add(const Effects& others);

  /// Writes the sums, those for hosts and counters later when the transaction is part of `as_one`; ends jobs whose last task
  /// has ended, and lets the jobs that waited for them go.
  void apply(Write& tx);

 private:
  struct HostChange {
    std::int64_t pending = 0;
    std::int64_t in_flight = 0;
    bool started = false;
  };
  struct JobChange {
    std::int64_t total = 0;
    std::int64_t open = 0;
    std::int64_t processed = 0;
    std::int64_t failed = 0;
    bool started = false;
    bool reopened = false;
    bool is_only_a_start() const { return total == 0 && open == 0 && processed == 0 && failed == 0 && !reopened; }
  };
  void count(const TaskRefs& task, TaskStatus status, std::int64_t by);
  void apply_hosts(Write& tx);
  void apply_jobs(Write& tx);
  void apply_counts(Write& tx);

  std::map<std::pair<std::int64_t, TaskStatus>, std::int64_t> counts_;
  std::map<std::int64_t, HostChange> hosts_;
  std::map<JobId, JobChange> jobs_;
};

}  // namespace quarry::queue
