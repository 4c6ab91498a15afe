#include "queue/transition.hpp"

#include <map>
#include <set>

namespace quarry::queue {
namespace {

constexpr sql::Query<bool(JobId)> lock_is_paused{
    "queue.lock_is_paused", sql::sqlite("select is_paused from scraping_jobs where id = $1"),
    sql::postgres("select is_paused from scraping_jobs where id = $1 for no key update")};
constexpr sql::Command<void(TaskId)> pause_one{"queue.pause_task", "update task_queue set status = 'paused' where id = $1"};

bool waits(const MovedTask& task) { return task.status == TaskStatus::pending || task.status == TaskStatus::scheduled; }

}  // namespace

void pause_with_their_jobs(Write& tx, std::vector<MovedTask>& tasks) {
  std::map<JobId, bool> paused;  // in the order in which every transaction locks jobs
  for (const auto& task : tasks)
    if (task.job_id && waits(task)) paused.emplace(*task.job_id, false);
  for (auto& [job, is_paused] : paused) is_paused = tx.one(lock_is_paused, job).value_or(false);
  for (auto& task : tasks) {
    if (!task.job_id || !waits(task) || !paused[*task.job_id]) continue;
    tx.run(pause_one, task.id);
    task.status = TaskStatus::paused;
  }
}

void settle(Write& tx, const std::vector<MovedTask>& tasks, TaskStatus from) {
  settle(tx, tasks, [from](const MovedTask&) { return from; });
}

void settle(Write& tx, const std::vector<MovedTask>& tasks, const std::function<TaskStatus(const MovedTask&)>& from) {
  if (tasks.empty()) return;
  Effects effects;
  std::set<std::int64_t> to_wake;
  for (const auto& task : tasks) {
    effects.moved(task.refs(), from(task), task.status);
    // A slot of a host that became free may let another task run, too.
    if (waits(task) || task.host_id) to_wake.insert(task.queue_id);
  }
  effects.apply(tx);
  for (const auto queue : to_wake) tx.notify(wake_channel({queue}));
}

}  // namespace quarry::queue
