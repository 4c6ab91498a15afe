#include "property/queue/model.hpp"

#include <algorithm>
#include <ostream>

namespace quarry::test {
namespace {

constexpr std::int64_t second = 1'000'000;

bool waits(TaskStatus status) { return queue::is_open(status) && status != TaskStatus::processing; }

}  // namespace

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << boost::describe::enum_to_string(step.verb, "?") << '(' << step.a << ", " << step.b << ')';
}

Wish wish_of(const Step& step) {
  Wish wish;
  wish.host = static_cast<int>(step.a % (host_count + 1)) - 1;
  wish.job = static_cast<int>(step.a / 4 % (job_count + 1)) - 1;
  wish.priority = 1 + static_cast<int>(step.b % 10);
  wish.delay_us = step.a % 5 == 0 ? static_cast<std::int64_t>(step.b % 7) * second : 0;
  wish.max_retries = static_cast<int>(step.b % 3);
  wish.max_stalls = 1 + static_cast<int>(step.a % 2);
  if (step.b % 4 == 0) wish.key = "key " + std::to_string(step.a % 3);
  wish.while_active = step.b % 8 == 0;
  return wish;
}

int delay_ms_of(const Step& step) { return static_cast<int>(step.b % 3) * 1'500; }
int max_in_flight_of(const Step& step) { return step.b % 5 == 4 ? 1'000'000 : 1 + static_cast<int>(step.b % 5); }
std::int64_t time_of(const Step& step) { return static_cast<std::int64_t>(step.b % 13) * second; }

int Model::in_flight(int host) const {
  return static_cast<int>(
      std::ranges::count_if(tasks, [&](const auto& t) { return t.host == host && t.status == TaskStatus::processing; }));
}
std::int64_t Model::pending(int host) const {
  return std::ranges::count_if(tasks, [&](const auto& t) { return t.host == host && t.status == TaskStatus::pending; });
}

bool Model::is_taken(const std::string& key) const {
  return std::ranges::any_of(tasks,
                             [&](const auto& t) { return t.key == key && (!t.while_active || queue::is_open(t.status)); });
}

void Model::enqueue(const Wish& wish) {
  if (wish.host >= 0) hosts[static_cast<std::size_t>(wish.host)].exists = true;
  if (!wish.key.empty() && is_taken(wish.key)) return;
  ModelTask task;
  task.host = wish.host;
  task.job = wish.job;
  task.due = now + wish.delay_us;
  task.rank = task.due + (wish.priority - 1) * queue::aging_step.count();
  task.status = wish.delay_us > 0 ? TaskStatus::scheduled : TaskStatus::pending;
  task.max_retries = wish.max_retries;
  task.max_stalls = wish.max_stalls;
  task.key = wish.key;
  task.while_active = wish.while_active;
  tasks.push_back(task);
  outcome.push_back(1);
}

void Model::claim(std::size_t limit) {
  promote();
  reap();
  outcome.clear();
  if (paused) return;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (tasks[i].status == TaskStatus::pending) order.push_back(i);
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(tasks[i].rank, i); });
  std::vector<std::size_t> room(host_count, 0);
  for (std::size_t h = 0; h < host_count; ++h) {
    const auto free = hosts[h].max_in_flight - in_flight(static_cast<int>(h));
    if (free <= 0 || std::max(hosts[h].next_at, hosts[h].blocked_until) > now) continue;
    room[h] = hosts[h].delay_ms > 0 ? 1 : static_cast<std::size_t>(free);
  }
  for (const auto i : order) {
    if (outcome.size() == limit) break;
    auto& task = tasks[i];
    if (task.host >= 0) {
      const auto h = static_cast<std::size_t>(task.host);
      if (room[h] == 0) continue;
      --room[h];
      hosts[h].next_at = now + hosts[h].delay_ms * 1'000LL;
    }
    task.status = TaskStatus::processing;
    task.lease_until = now + lease_us;
    leases.push_back({i, ++task.token});
    outcome.push_back(static_cast<std::int64_t>(i));
  }
}

void Model::end(ModelTask& task, TaskStatus how) {
  task.status = how;
  task.ended_at = now;
}

void Model::end_lease(const Step& step) {
  if (leases.empty()) return;
  const auto& lease = leases[step.a % leases.size()];
  auto& task = tasks[lease.task];
  const bool good = task.status == TaskStatus::processing && task.token == lease.token;
  outcome.push_back(good);
  if (!good) return;
  switch (step.verb) {
    case Verb::heartbeat:
      task.lease_until = now + lease_us;
      outcome.push_back(task.cancel);
      break;
    case Verb::finish:
      end(task, TaskStatus::completed);
      break;
    case Verb::fail:
      fail(task, step);
      break;
    default:
      if (task.cancel)
        end(task, TaskStatus::cancelled);
      else
        task.status = TaskStatus::pending;
  }
}

void Model::fail(ModelTask& task, const Step& step) {
  const bool permanent = step.b % 5 == 0;
  if (task.cancel) return end(task, TaskStatus::cancelled);
  if (permanent) return end(task, TaskStatus::failed);
  if (task.retries >= task.max_retries) return end(task, TaskStatus::dead);
  const auto due = now + time_of(step);
  ++task.retries;
  task.rank += due - task.due;
  task.due = due;
  task.status = due > now ? TaskStatus::scheduled : TaskStatus::pending;
}

void Model::promote() {
  for (auto& task : tasks) {
    if (task.status != TaskStatus::scheduled || task.due > now) continue;
    task.status = TaskStatus::pending;
    outcome.push_back(1);
  }
}

void Model::reap() {
  for (auto& task : tasks) {
    if (task.status != TaskStatus::processing || task.lease_until >= now) continue;
    if (task.cancel)
      end(task, TaskStatus::cancelled);
    else if (task.stalls >= task.max_stalls)
      end(task, TaskStatus::dead);
    else
      task.status = TaskStatus::pending;
    ++task.stalls;
    outcome.push_back(1);
  }
}

/// Not when another task has its key by now.
bool Model::run_again(ModelTask& task) {
  if (task.while_active && !task.key.empty() && is_taken(task.key)) return false;
  task.status = TaskStatus::pending;
  task.rank += now - task.due;
  task.due = now;
  task.retries = task.stalls = 0;
  task.cancel = false;
  return true;
}

void Model::control(const Step& step) {
  if (step.verb == Verb::redrive) {
    std::vector<ModelTask*> dead;
    for (auto& task : tasks)
      if (task.status == TaskStatus::dead) dead.push_back(&task);
    std::ranges::stable_sort(dead, {}, &ModelTask::ended_at);
    for (auto* task : dead)
      if (run_again(*task)) outcome.push_back(1);
    return;
  }
  if (tasks.empty()) return;
  auto& task = tasks[step.a % tasks.size()];
  if (step.verb == Verb::retry) {
    outcome.push_back(!queue::is_open(task.status) && task.status != TaskStatus::completed && run_again(task));
    return;
  }
  outcome.push_back(waits(task.status) ? 0 : task.status == TaskStatus::processing ? 1 : 2);
  if (waits(task.status))
    end(task, TaskStatus::cancelled);
  else if (task.status == TaskStatus::processing)
    task.cancel = true;
}

void Model::control_job(const Step& step) {
  for (auto& task : tasks) {
    if (task.job != static_cast<int>(step.a % job_count)) continue;
    const auto was = task.status;
    if (step.verb == Verb::cancel_job && was == TaskStatus::processing) task.cancel = true;
    if (step.verb == Verb::cancel_job && waits(was)) end(task, TaskStatus::cancelled);
    if (step.verb == Verb::pause_job && (was == TaskStatus::pending || was == TaskStatus::scheduled))
      task.status = TaskStatus::paused;
    if (step.verb == Verb::resume_job && was == TaskStatus::paused)
      task.status = task.due > now ? TaskStatus::scheduled : TaskStatus::pending;
    if (task.status != was) outcome.push_back(1);
  }
}

void Model::control_host(const Step& step) {
  auto& host = hosts[step.a % host_count];
  if (step.verb == Verb::configure_host) {
    host.exists = true;
    host.delay_ms = delay_ms_of(step);
    host.max_in_flight = max_in_flight_of(step);
  } else if (host.exists && step.verb == Verb::block_host) {
    host.blocked_until = step.b % 2 ? now + time_of(step) : 0;
  } else if (host.exists) {
    const auto started = now - time_of(step);
    if (host.last_backoff_at >= 0 && started <= host.last_backoff_at) return;
    host.blocked_until = std::max(host.blocked_until, now + 3 * second);
    ++host.backoff_count;
    host.last_backoff_at = now;
  }
}

void Model::apply(const Step& step) {
  outcome.clear();
  switch (step.verb) {
    case Verb::enqueue:
      return enqueue(wish_of(step));
    case Verb::claim:
      return claim(1 + step.a % 6);
    case Verb::finish:
    case Verb::fail:
    case Verb::release:
    case Verb::heartbeat:
      return end_lease(step);
    case Verb::advance:
      now += time_of(step) + step.a % 2;
      return;
    case Verb::reap:
      return reap();
    case Verb::promote:
      return promote();
    case Verb::cancel:
    case Verb::retry:
    case Verb::redrive:
      return control(step);
    case Verb::pause_queue:
      paused = true;
      return;
    case Verb::resume_queue:
      paused = false;
      return;
    case Verb::pause_job:
    case Verb::resume_job:
    case Verb::cancel_job:
      return control_job(step);
    case Verb::configure_host:
    case Verb::block_host:
    case Verb::refuse_host:
      return control_host(step);
    case Verb::restart:
      return;
  }
}

}  // namespace quarry::test
