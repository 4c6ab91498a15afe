#pragma once
/// The readers of a database: a pool of them, and one thread that ends the moments which rested ones still stand in.
///
/// The thread starts with the first reads that come close together, looks every `Reader::stay_max` while there are such, and
/// sleeps otherwise. Without it (no thread could be made) nothing is kept.
///
/// Thread safety: all functions may be called from any thread; a lease belongs to one.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "sql/pool/pool.hpp"
#include "sql/sqlite/reader.hpp"

namespace quarry::sql::sqlite_driver {

class Readers {
 public:
  using Time = Reader::Time;
  using Lease = Pool<Reader>::Lease;

  /// Both must outlive this.
  Readers(const Location& location, const DatabaseOptions& options);
  ~Readers();

  /// Throws what `Pool::acquire` and a connection throw.
  Lease acquire(Time now, Time deadline) { return pool_.acquire(now, deadline); }
  PoolState::Counts counts() const { return pool_.counts(); }
  /// Lets go of every moment in which a rested reader stands.
  void let_go();

  /// One read of one reader: one moment for all of its queries.
  class Moment {
   public:
    Moment(Readers& readers, Reader& reader, Time now) : readers_(readers), reader_(reader) { reader.enter(now); }
    ~Moment() { reader_.leave(reader_.may_stay() && readers_.look_after()); }
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;

   private:
    Readers& readers_;
    Reader& reader_;
  };

 private:
  /// Sees to it that what is kept ends; false when nobody can.
  bool look_after() noexcept { return awake_.load() || wake(); }
  bool wake() noexcept;
  void sweep();
  /// Whether there is, or may be, something left to end.
  bool sweep_once();

  Pool<Reader> pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> awake_{false};
  bool stopping_ = false;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace quarry::sql::sqlite_driver
