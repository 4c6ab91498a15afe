#pragma once
/// The one writing connection: runs batches of writes in a transaction, and makes the checkpoints.
///
/// Thread safety: one thread at a time (`GroupCommit` sees to it for batches, the mutex in `Backend` for the rest).

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sql/sqlite/connection.hpp"
#include "sql/sqlite/gate.hpp"
#include "sql/sqlite/group_commit.hpp"
#include "sql/sqlite/wal_room.hpp"

namespace quarry::sql::sqlite_driver {

class Writer {
 public:
  /// What the writer asks of its neighbours.
  struct Hooks {
    std::function<void(const std::string& channel)> notify;  ///< wakes the subscribers of a channel
    std::function<void()> before_checkpoint;                 ///< lets go of what holds the WAL for no reason
  };
  Writer(const Location& location, const DatabaseOptions& options, const Clock& clock, const void* backend, Hooks hooks);
  ~Writer();

  /// For `GroupCommit`: passes the gate and begins the transaction that `commit_batch` goes on with. Why not, if it cannot.
  std::exception_ptr admit(const PendingWrite& leader) noexcept;
  /// For `GroupCommit`: commits the batch, or sets `failure` on the members that were not. Leaves the gate.
  void commit_batch(std::span<PendingWrite* const> batch);
  /// Runs `body` in a read transaction on this connection: in-memory databases have no other.
  void read(FunctionRef<void(Read&)> body);
  /// Runs SQL outside a transaction, alone in the database.
  void run_outside_transaction(std::string_view sql);

  /// For a forked child, which shares the lock with its parent for as long as both have the file open.
  void close_gate() noexcept { gate_.close(); }
  /// For whoever holds the database to himself.
  Connection& connection() noexcept { return connection_; }

  std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t writes() const noexcept { return writes_.load(std::memory_order_relaxed); }

 private:
  using Actions = std::vector<std::function<void()>>;
  /// How the members of a batch are kept apart: by savepoints, or not at all, which is a third faster and right as long as
  /// nobody throws.
  enum class Apart { no, by_savepoints };
  enum class Outcome {
    committed,
    undone,   ///< the transaction as a whole failed, or a member threw that was not kept apart: nothing of it is left
    unknown,  ///< COMMIT failed, and the log may hold it all the same
  };
  void run_batch(std::span<PendingWrite* const> batch);
  Outcome try_batch(std::span<PendingWrite* const> batch, Apart apart, Actions& actions, std::exception_ptr& failure);
  void begin(std::chrono::steady_clock::time_point until);
  /// Throws; sets `unknown` when the outcome is.
  void commit(bool& unknown);
  bool overwrite_failed_commit() noexcept;
  void run_member(PendingWrite& member, Write& tx, Apart apart);
  void checkpoint_if_due();
  std::chrono::steady_clock::time_point deadline() const;

  Connection connection_;
  Gate gate_;
  const DatabaseOptions& options_;
  const Clock& clock_;
  const void* backend_;
  const Hooks hooks_;
  WalRoom room_;
  bool begun_ = false;  ///< `admit` has begun a transaction
  int pages_at_last_checkpoint_ = 0;
  int insist_from_;          ///< pages in the WAL, from which on a checkpoint waits for readers
  int careful_batches_ = 0;  ///< so many more are kept apart from the start: somebody threw lately
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> writes_{0};
};

}  // namespace quarry::sql::sqlite_driver
