#pragma once
/// Group commit: small writes of many threads share one durable commit.
///
/// Callers queue up. Whoever finds nobody at work leads: it takes what has gathered, runs every closure inside one
/// transaction, commits once, and wakes the others; then the first that came meanwhile leads. There is no writer thread, so
/// a lone writer pays no switch between threads. (The same idea is called flat combining, Hendler et al. 2010, and leader
/// election in RocksDB's write path.)
///
/// The writers of one batch come back together, and a leader that did not wait for them would commit with the first of them
/// alone. So it waits until as many are there as the last batch had, but no longer than half of what that batch took, and
/// never more than 60 us (of 0, 60, 150 and 1000 the best with 32 writers where a sync takes 200): a lone writer waits for
/// nobody. (PostgreSQL's commit_delay does this with fixed figures.)
///
/// The closures run without savepoints, which cost a fifth. When one throws, the transaction is rolled back and all run once
/// more, each in a savepoint of its own, so that a closure that throws loses its own work only. An error that ends the whole
/// transaction (disk full, I/O) undoes everybody's work; each closure is then run again alone, so that one bad write fails
/// one caller. A COMMIT of which nobody knows what became of it is not repeated: it fails all of them (docs/decisions/0012).
///
/// Thread safety: `run` may be called from any thread.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "quarry/sql/function_ref.hpp"
#include "quarry/sql/transaction.hpp"
#include "sql/sqlite/signal_flag.hpp"

namespace quarry::sql::sqlite_driver {

/// One caller's write, on that caller's stack.
struct PendingWrite {
  FunctionRef<void(Write&)> body;
  bool alone = false;  ///< wants a commit of its own
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();  ///< of the whole write
  std::exception_ptr failure = nullptr;  ///< why it was not committed
  std::chrono::steady_clock::time_point turn_by =
      std::chrono::steady_clock::time_point::max();  ///< begun by then, or not at all

  enum class State { queued, leading, taken, done };
  State state = State::queued;
  /// Given once, when the state has become `leading` or `done`. Who waits for it takes no lock to wake up: the members of a
  /// batch would wake one after another, each for the lock of the one before.
  SignalFlag settled{};
};

class GroupCommit {
 public:
  /// Makes the writes of a batch durable; sets `failure` on those that are not. Never throws.
  using CommitBatch = std::function<void(std::span<PendingWrite* const>)>;

  /// Takes what a batch needs, other processes' leave above all, and waits for it until the leader's `turn_by`. Returns why
  /// that failed. It runs before the batch is taken: whoever is still queued can give up at a deadline of his own. `commit`
  /// follows if it succeeds.
  using Admit = std::function<std::exception_ptr(const PendingWrite& leader)>;

  GroupCommit(std::size_t batch_max, CommitBatch commit, Admit admit = {})
      : batch_max_(batch_max), commit_(std::move(commit)), admit_(std::move(admit)) {}

  /// Returns when the write is durable; throws what its body threw, or why the commit failed, or `timeout` if its turn did
  /// not come before the deadline.
  void run(PendingWrite& write, std::chrono::steady_clock::time_point deadline);
  /// Runs `action` when nobody else leads, and lets nobody lead meanwhile: for what cannot be part of a transaction.
  void run_exclusive(FunctionRef<void()> action);
  std::size_t waiting() const;

 private:
  void await_turn(PendingWrite& write, std::chrono::steady_clock::time_point deadline);
  void lead(std::unique_lock<std::mutex>& lock, PendingWrite& write);
  void gather(std::unique_lock<std::mutex>& lock, const PendingWrite& leader);
  std::vector<PendingWrite*> take_batch(PendingWrite& leader);
  /// Whoever leads next, to be told when the lock is free.
  PendingWrite* next_leader();

  const std::size_t batch_max_;
  const CommitBatch commit_;
  const Admit admit_;
  mutable std::mutex mutex_;
  std::deque<PendingWrite*> queue_;
  bool busy_ = false;  ///< somebody leads
  std::size_t last_batch_ = 1;
  std::chrono::steady_clock::duration last_took_{};
  std::size_t gathering_ = 0;  ///< how many a leader waits for to be queued; 0 when none does
  std::condition_variable gathered_;
};

}  // namespace quarry::sql::sqlite_driver
