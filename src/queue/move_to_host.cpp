#include "quarry/queue/move_to_host.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "queue/transition.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<MovedTask(TaskId)> find_given_back{
    "queue.find_given_back",
    "select id, queue_id, host_id, job_id, status from task_queue where id = $1 and status in ('pending', 'paused')"};
constexpr sql::Command<void(TaskId, std::int64_t, Json)> change_host_of{
    "queue.change_host_of", "update task_queue set host_id = $2, payload = $3 where id = $1"};

}  // namespace

Refused move_to_host(Write& tx, std::span<const HostMove> tasks) {
  std::vector<LeaseRef> leases;
  for (const auto& task : tasks) leases.push_back({task.id, task.lease_token});
  auto refused = release(tx, leases);
  Effects effects;
  std::set<std::int64_t> to_wake;
  for (const auto& task : tasks) {
    if (std::ranges::find(refused.ids, task.id) != refused.ids.end()) continue;
    const auto given_back = tx.one(find_given_back, task.id);
    if (!given_back) continue;  // it has ended as cancelled
    tx.run(change_host_of, task.id, task.host_id, task.payload);
    // For its job nothing changes.
    effects.removed({given_back->queue_id, given_back->host_id, {}}, given_back->status);
    effects.added({given_back->queue_id, task.host_id, {}}, given_back->status);
    to_wake.insert(given_back->queue_id);
  }
  effects.apply(tx);
  for (const auto queue : to_wake) tx.notify(wake_channel({queue}));
  return refused;
}

}  // namespace quarry::queue
