/// How the leases of a worker end: lost to another, cancelled, given back, or settled by the committer.

#include "crawl/worker/worker_state.hpp"
#include "quarry/billing/metering.hpp"

namespace quarry::crawl {

/// Called on the keeper's thread.
void Worker::State::note_end(TaskId task, queue::LeaseEnd why) {
  if (why == queue::LeaseEnd::lost) {
    some_are_lost = true;
    return;
  }
  {
    const std::scoped_lock lock(cancelled_mutex);
    cancelled.insert(task);
  }
  fetcher.wake();
}

/// What is under way for them is broken off, and the committer ends them. What it has in hand already is kept, as the last
/// work of its job.
void Worker::State::stop_cancelled() {
  std::unordered_set<TaskId> unwanted;
  {
    const std::scoped_lock lock(cancelled_mutex);
    unwanted.swap(cancelled);
  }
  if (unwanted.empty()) return;
  for (auto& [number, task] : held) {
    if (task.settled || !unwanted.contains(task.outcome.task.id)) continue;
    fetcher.cancel(number);
    task.outcome.error = "it was cancelled while it was worked on";
    task.outcome.was_cancelled = true;
    task.outcome.elsewhere.reset();
    settle(task);
  }
  // Nobody else needs the robots.txt that only these were waiting for.
  for (auto entry = waiting_for_robots.begin(); entry != waiting_for_robots.end();) {
    auto& [host, numbers] = *entry;
    std::erase_if(numbers, [&](std::uint64_t number) {
      const auto task = held.find(number);
      return task == held.end() || task->second.settled;
    });
    if (numbers.empty()) fetcher.cancel(robots_bit | static_cast<std::uint64_t>(host));
    entry = numbers.empty() ? waiting_for_robots.erase(entry) : std::next(entry);
  }
}

/// An answer that still comes finds no entry; an outcome that is with the committer already finds no lease, and is counted
/// there.
void Worker::State::forget(const std::unordered_set<TaskId>& tasks) {
  stats.lost += static_cast<std::int64_t>(std::erase_if(
      held, [&](const auto& entry) { return !entry.second.settled && tasks.contains(entry.second.outcome.task.id); }));
}

/// Somebody else has these tasks, or they have ended.
void Worker::State::forget_lost() {
  stats.lost += static_cast<std::int64_t>(std::erase_if(
      held, [&](const auto& entry) { return !entry.second.settled && !keeper->keeps(entry.second.outcome.lease()); }));
}

void Worker::State::give_back(std::vector<queue::LeaseRef> leases) {
  if (leases.empty()) return;
  // What was not metered has no reservation, and is given back all the same.
  patiently([&] { db.write([&](Write& tx) { billing::release(tx, leases); }); });
}

void Worker::State::forget_settled() {
  for (const auto number : committer->take_settled()) {
    const auto task = held.extract(number);
    if (!task.empty()) keeper->remove(task.mapped().outcome.lease());
  }
}

}  // namespace quarry::crawl
