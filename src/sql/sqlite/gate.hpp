#pragma once
/// Lets one writer at a time through, across processes: a lock on the file `<database>-gate`.
///
/// SQLite's own lock would do for correctness, but not here: (1) its waiters sleep and poll inside the busy handler, and
/// reports of BUSY under many processes are legion (rails/solid_queue#309); (2) in 3.40.1 a checkpoint that overlaps a
/// commit which resets the WAL can corrupt the file (fixed in 3.51.3). Whoever holds the gate is alone in writing *and* in
/// checkpointing, which closes that hole. `flock` locks belong to the open file, so two handles in one process exclude each
/// other too, and the kernel drops them with a process that dies.
///
/// Thread safety: one thread at a time, which the group commit sees to.

#include <chrono>
#include <string>

namespace quarry::sql::sqlite_driver {

class Gate {
 public:
  /// Creates the file. Throws `unavailable` when it cannot. An empty path (an in-memory database) makes a gate that is
  /// always open.
  explicit Gate(const std::string& path);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Throws `busy` when another process still holds it at the deadline.
  void enter(std::chrono::steady_clock::time_point deadline);
  void leave() noexcept;
  /// Leaves it to others who have the same open file: no lock is taken away. It is always open from then on.
  void close() noexcept;

 private:
  int file_ = -1;
  std::string path_;
};

/// Holds the gate for a scope.
class Passage {
 public:
  Passage(Gate& gate, std::chrono::steady_clock::time_point deadline) : gate_(gate) { gate_.enter(deadline); }
  ~Passage() { gate_.leave(); }
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

 private:
  Gate& gate_;
};

}  // namespace quarry::sql::sqlite_driver
