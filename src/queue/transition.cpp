#include "queue/transition.hpp"

#include <set>

namespace quarry::queue {

void settle(Write& tx, const std::vector<MovedTask>& tasks, TaskStatus from) {
  if (tasks.empty()) return;
  Effects effects;
  std::set<std::int64_t> to_wake;
  for (const auto& task : tasks) {
    effects.moved(task.refs(), from, task.status);
    // A slot of a host that became free may let another task run, too.
    if (task.status == TaskStatus::pending || task.status == TaskStatus::scheduled || task.host_id)
      to_wake.insert(task.queue_id);
  }
  effects.apply(tx);
  for (const auto queue : to_wake) tx.notify(wake_channel({queue}));
}

}  // namespace quarry::queue
