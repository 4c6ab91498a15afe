#include "property/queue/real_queue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/queue/maintain.hpp"

namespace quarry::test {
namespace {

using namespace quarry::queue;
using Outcome = std::vector<std::int64_t>;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr sql::Command<void(UserId)> insert_user{
    "test.insert_user",
    "insert into users (id, username, email, google_id) values ($1, 'ada', 'ada@example.org', 'ada at the provider')"};
constexpr sql::Command<void(JobId, UserId)> insert_job{
    "test.insert_job", "insert into scraping_jobs (id, user_id, job_type, title) values ($1, $2, 'crawl', 'modelled')"};

// In the order in which they were made.
constexpr sql::Query<JobId()> list_jobs{"test.list_jobs", "select id from scraping_jobs order by id"};
constexpr sql::Query<TaskId()> list_ids{"test.list_ids", "select id from task_queue order by id"};

std::string host_key(unsigned host) { return "h" + std::to_string(host % host_count); }
Outcome ones(std::int64_t count) { return Outcome(static_cast<std::size_t>(count), 1); }

std::string task_line(std::size_t number, TaskStatus status, std::int64_t token, std::int64_t due, std::int64_t rank,
                      int retries, int stalls, std::int64_t lease_until, bool cancel, std::string_view key) {
  return fmt::format("task {} {} token {} due {} rank {} retries {} stalls {} lease {} cancel {} key '{}'", number,
                     boost::describe::enum_to_string(status, "?"), token, due, rank, retries, stalls,
                     status == TaskStatus::processing ? lease_until : 0, cancel, key);
}

std::string queue_line(bool is_paused) { return is_paused ? "queue paused" : "queue runs"; }

std::string host_line(std::string_view key, const ModelHost& host, int in_flight, std::int64_t pending) {
  return fmt::format("host {} delay {} limit {} in flight {} pending {} next {} blocked {} backoff {}", key, host.delay_ms,
                     host.max_in_flight, in_flight, pending, host.next_at, host.blocked_until, host.backoff_count);
}

}  // namespace

void RealQueue::begin(const Model& model) {
  clock_.set({model.now});
  db().write([&](Write& tx) {
    tx.session().run_script("test.empty",
                            "delete from task_attempts; delete from task_queue; delete from hosts; delete from queue_counts;"
                            " delete from queues; delete from scraping_jobs; delete from users");
    queue_ = open_queue(tx, "modelled");
    const auto user = tx.new_id<UserId>();
    tx.run(insert_user, user);
    jobs_.clear();
    ids_.clear();
    leases_.clear();
    for (unsigned i = 0; i < job_count; ++i) {
      jobs_.push_back(tx.new_id<JobId>());
      tx.run(insert_job, jobs_.back(), user);
    }
  });
}

void RealQueue::resume(const Model& model) {
  clock_.set({model.now});
  db().read([&](Read& tx) {
    queue_ = find_queue(tx, "modelled").value();
    jobs_ = tx.all(list_jobs);
  });
  find_tasks();
  leases_.clear();
  for (const auto& lease : model.leases) leases_.push_back({ids_.at(lease.task), lease.token});
}

void RealQueue::find_tasks() {
  ids_ = db().read([](Read& tx) { return tx.all(list_ids); });
}

Outcome RealQueue::put(const Step& step) {
  const auto wish = wish_of(step);
  NewTask task{.priority = wish.priority, .max_retries = wish.max_retries, .max_stalls = wish.max_stalls};
  if (wish.host >= 0) task.host_key = host_key(static_cast<unsigned>(wish.host));
  if (wish.delay_us > 0) task.scheduled_at = clock_.now() + microseconds(wish.delay_us);
  if (!wish.key.empty()) task.unique_key = wish.key;
  task.unique_while_active = wish.while_active;
  EnqueueOptions options;
  if (wish.job >= 0) options.job_id = jobs_[static_cast<std::size_t>(wish.job)];
  const auto id = db().write([&](Write& tx) { return enqueue(tx, queue_, task, options); });
  if (!id) return {};
  ids_.push_back(*id);
  return {1};
}

Outcome RealQueue::take(const Step& step) {
  Outcome outcome;
  const ClaimOptions options{
      .worker = "model", .limit = static_cast<int>(1 + step.a % 6), .lease = milliseconds(lease_us / 1'000)};
  for (const auto& task : db().write([&](Write& tx) { return claim(tx, queue_, options); })) {
    outcome.push_back(std::ranges::find(ids_, task.id) - ids_.begin());
    leases_.push_back({task.id, task.lease_token});
  }
  return outcome;
}

Outcome RealQueue::end_lease(const Step& step) {
  if (leases_.empty()) return {};
  const auto lease = leases_[step.a % leases_.size()];
  return db().write([&](Write& tx) -> Outcome {
    if (step.verb == Verb::heartbeat) {
      const auto result = heartbeat(tx, std::span(&lease, 1), milliseconds(lease_us / 1'000));
      if (!result.lost.empty()) return {0};
      return {1, !result.cancelled.empty()};
    }
    if (step.verb == Verb::finish) {
      const Finish one{lease.id, lease.lease_token, {}};
      return {finish(tx, std::span(&one, 1)).ids.empty()};
    }
    if (step.verb == Verb::release) return {release(tx, std::span(&lease, 1)).ids.empty()};
    const Failure one{lease.id, lease.lease_token, "modelled", step.b % 5 == 0, milliseconds(time_of(step) / 1'000)};
    return {fail(tx, std::span(&one, 1)).ids.empty()};
  });
}

Outcome RealQueue::control(const Step& step) {
  const auto job = jobs_[step.a % job_count];
  return db().write([&](Write& tx) -> Outcome {
    switch (step.verb) {
      case Verb::reap:
        return ones(reap_expired(tx));
      case Verb::promote:
        return ones(promote_due(tx));
      case Verb::redrive:
        return ones(redrive(tx, queue_).tasks);
      case Verb::pause_queue:
        return set_paused(tx, queue_, true), Outcome{};
      case Verb::resume_queue:
        return set_paused(tx, queue_, false), Outcome{};
      case Verb::pause_job:
        return ones(pause_job(tx, job).tasks);
      case Verb::resume_job:
        return ones(resume_job(tx, job).tasks);
      case Verb::cancel_job:
        return ones(cancel_job(tx, job).tasks);
      default:
        break;
    }
    if (ids_.empty()) return {};
    const auto id = ids_[step.a % ids_.size()];
    if (step.verb == Verb::retry) return {retry_task(tx, id)};
    return {static_cast<std::int64_t>(cancel_task(tx, id))};
  });
}

Outcome RealQueue::control_host(const Step& step) {
  db().write([&](Write& tx) {
    const auto key = host_key(step.a);
    if (step.verb == Verb::configure_host) {
      configure_host(tx, key, {.delay_ms = delay_ms_of(step), .max_in_flight = max_in_flight_of(step)});
      return;
    }
    const auto host = find_host(tx, key);
    if (!host) return;
    if (step.verb == Verb::block_host)
      block_host(tx, host->id, step.b % 2 ? tx.now() + microseconds(time_of(step)) : Instant{});
    else
      host_refused(tx, host->id, tx.now() - microseconds(time_of(step)), std::chrono::seconds(3));
  });
  return {};
}

Outcome RealQueue::run(const Step& step) {
  switch (step.verb) {
    case Verb::enqueue:
      return put(step);
    case Verb::claim:
      return take(step);
    case Verb::finish:
    case Verb::fail:
    case Verb::release:
    case Verb::heartbeat:
      return end_lease(step);
    case Verb::advance:
      return clock_.advance(microseconds(time_of(step) + step.a % 2)), Outcome{};
    case Verb::restart:
      return reopen_(), Outcome{};
    case Verb::configure_host:
    case Verb::block_host:
    case Verb::refuse_host:
      return control_host(step);
    default:
      return control(step);
  }
}

std::vector<std::string> RealQueue::look() {
  std::vector<std::string> lines;
  db().read([&](Read& tx) {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const auto task = find_task(tx, ids_[i]).value();
      lines.push_back(task_line(i, task.status, task.lease_token, task.scheduled_at.us, task.rank, task.retry_count,
                                task.stall_count, task.lease_until.value_or(Instant{}).us, task.cancel_requested,
                                task.unique_key.value_or("")));
    }
    for (const auto& queue : list_queues(tx)) lines.push_back(queue_line(queue.is_paused));
    for (const auto& host : list_hosts(tx))
      lines.push_back(
          host_line(host.host_key,
                    {true, host.delay_ms, host.max_in_flight, host.next_at.us, host.blocked_until.us, host.backoff_count, 0},
                    host.in_flight, host.pending));
  });
  return lines;
}

std::vector<std::string> RealQueue::look(const Model& model) const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < model.tasks.size(); ++i) {
    const auto& task = model.tasks[i];
    lines.push_back(task_line(i, task.status, task.token, task.due, task.rank, task.retries, task.stalls, task.lease_until,
                              task.cancel, task.key));
  }
  lines.push_back(queue_line(model.paused));
  for (unsigned h = 0; h < host_count; ++h)
    if (model.hosts[h].exists) {
      const auto number = static_cast<int>(h);
      lines.push_back(host_line(host_key(h), model.hosts[h], model.in_flight(number), model.pending(number)));
    }
  return lines;
}

}  // namespace quarry::test
