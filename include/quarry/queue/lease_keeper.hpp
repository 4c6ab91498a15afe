#pragma once
/// Keeps leases alive while the work goes on, from a thread of its own: tasks under way, and those that wait in a worker's
/// buffer (Q5 of the field's known defects).
///
///     LeaseKeeper keeper(db, lease, [&](TaskId task, LeaseEnd why) { stop_working_on(task); });
///     keeper.add({task.id, task.lease_token});
///     ...
///     keeper.remove(task.id);            // first, or the heartbeat finds the lease ended and says "lost"
///     db.write([&](Write& tx) { finish_or_throw(tx, done); });
///
/// Heartbeats go out every third of the lease, all leases in one transaction, so that two of them may fail. While the
/// database cannot be reached they are tried ten times as often, and a lease is not given up before the database says so:
/// only it knows whether somebody else has got the task meanwhile, and the token keeps a late finish out.
///
/// Between heartbeats the keeper looks every half second whether any of its tasks is wanted no more: who cancels a task or
/// its job, or has maintenance give the job up, is heard within a second, however long the lease. That is one look by key at
/// the tasks that are kept, and none while nothing is kept.
///
/// Errors: `invalid` from the constructor; afterwards trouble with the database is logged and tried again.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "quarry/queue/claim.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::queue {

enum class LeaseEnd {
  lost,       ///< somebody else has the task, or it has ended: stop; nothing about it will be accepted
  cancelled,  ///< wanted no more: stop, then `fail` or `finish` it. Its lease is kept until `remove`.
};

/// Thread-safe.
class LeaseKeeper {
 public:
  /// Called from the keeper's thread, once for each task and reason, and never after `remove` has returned on another
  /// thread, unless it was under way. May call `add` and `remove`; must not throw or destroy the keeper.
  using OnEnd = std::function<void(TaskId task, LeaseEnd why)>;

  /// Between two looks at what was cancelled. A heartbeat is one, too.
  static constexpr std::chrono::milliseconds look_interval{500};

  /// `lease` as in `ClaimOptions`; throws `invalid` when it is out of bounds.
  LeaseKeeper(Database db, std::chrono::milliseconds lease, OnEnd on_end);
  /// Leases that are still held run out by themselves.
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  /// From now on the lease is kept. Never fails.
  void add(const LeaseRef& lease);
  /// Several at once.
  void add(std::span<const LeaseRef> leases);
  /// The lease is no longer kept: the work is over. Harmless for one that is not kept.
  void remove(TaskId task);
  /// The same, unless the task is kept under another lease by now.
  void remove(const LeaseRef& lease);
  /// Whether this very lease is kept.
  bool keeps(const LeaseRef& lease) const;
  /// Sends a heartbeat on the caller's thread when none has got through for two thirds of a lease. For whoever is about to
  /// claim after the database was away: the claim takes back leases that have run out, its own worker's as well. Throws what
  /// the database throws.
  void catch_up();
  /// How many leases are kept.
  std::size_t size() const;

 private:
  struct Kept {
    std::int64_t token = 0;
    bool told_cancelled = false;
  };
  void run();
  bool beat(bool reached);
  void beat();
  void look();
  std::vector<LeaseRef> kept_leases(bool untold_only) const;
  void report(const HeartbeatResult& result, std::span<const LeaseRef> asked);

  Database db_;
  const std::chrono::milliseconds lease_;
  const OnEnd on_end_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<TaskId, Kept> leases_;
  std::chrono::steady_clock::time_point got_through_ = std::chrono::steady_clock::now();
  std::thread thread_;
};

}  // namespace quarry::queue
