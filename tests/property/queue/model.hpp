#pragma once
/// The queue as anybody would write it who had one thread, all the memory in the world and no disk: lists and loops.
///
/// Times are microseconds. Tasks, hosts and jobs are named by their place in a list. Every step is total: numbers are taken
/// modulo what there is, so that a shrunken sequence of steps is a valid one.

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "quarry/queue/task.hpp"

namespace quarry::test {

using queue::TaskStatus;

enum class Verb {
  enqueue,
  claim,
  finish,
  fail,
  release,
  heartbeat,
  advance,
  reap,
  promote,
  cancel,
  retry,
  redrive,
  pause_queue,
  resume_queue,
  pause_job,
  resume_job,
  cancel_job,
  configure_host,
  block_host,
  refuse_host,
  restart
};
BOOST_DESCRIBE_ENUM(Verb, enqueue, claim, finish, fail, release, heartbeat, advance, reap, promote, cancel, retry, redrive,
                    pause_queue, resume_queue, pause_job, resume_job, cancel_job, configure_host, block_host, refuse_host,
                    restart)

struct Step {
  Verb verb = Verb::advance;
  unsigned a = 0;
  unsigned b = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step);

constexpr unsigned host_count = 3;
constexpr unsigned job_count = 2;
constexpr std::int64_t lease_us = 10'000'000;

/// What `enqueue` makes of its two numbers, for the model and for the real queue alike.
struct Wish {
  int host = -1;  ///< or none
  int job = -1;
  int priority = 5;
  std::int64_t delay_us = 0;
  int max_retries = 0;
  int max_stalls = 1;
  std::string key;
  bool while_active = false;
};
Wish wish_of(const Step& step);
int delay_ms_of(const Step& step);
int max_in_flight_of(const Step& step);
/// For `advance`, `block_host` and `fail`.
std::int64_t time_of(const Step& step);

struct ModelTask {
  int host = -1;
  int job = -1;
  std::int64_t due = 0;
  std::int64_t rank = 0;
  TaskStatus status = TaskStatus::pending;
  std::int64_t token = 0;
  std::int64_t lease_until = 0;
  int retries = 0;
  int max_retries = 0;
  int stalls = 0;
  int max_stalls = 0;
  bool cancel = false;
  std::string key;
  bool while_active = false;
  std::int64_t ended_at = 0;
};

struct ModelHost {
  bool exists = false;
  int delay_ms = 0;
  int max_in_flight = 1'000'000;
  std::int64_t next_at = 0;
  std::int64_t blocked_until = 0;
  int backoff_count = 0;
  std::int64_t last_backoff_at = -1;
};

struct ModelLease {
  std::size_t task = 0;
  std::int64_t token = 0;
};

struct Model {
  std::int64_t now = 0;
  bool paused = false;
  std::vector<ModelTask> tasks;
  std::vector<ModelHost> hosts = std::vector<ModelHost>(host_count);
  std::vector<ModelLease> leases;     ///< every one that was ever given
  std::vector<std::int64_t> outcome;  ///< what the last step gave back

  void apply(const Step& step);
  int in_flight(int host) const;
  std::int64_t pending(int host) const;

 private:
  void enqueue(const Wish& wish);
  void claim(std::size_t limit);
  void end_lease(const Step& step);
  void fail(ModelTask& task, const Step& step);
  void promote();
  void reap();
  void end(ModelTask& task, TaskStatus how);
  bool run_again(ModelTask& task);
  bool is_taken(const std::string& key) const;
  void control(const Step& step);
  void control_job(const Step& step);
  void control_host(const Step& step);
};

}  // namespace quarry::test
