#pragma once
/// The decisions of a connection pool, without a socket, a thread or a clock: events go in with the time they happened at,
/// decisions come out. `Pool` (pool.hpp) carries them out. The split is Boost.MySQL's (`sansio_connection_node`), so that
/// a unit test can own time.
///
/// A pool is `connections_max` slots. A slot lives through
///
///     empty -> opening -> busy <-> idle
///       ^        |         |        |
///       +--------+---- closing <----+
///
/// and there is never a socket in an empty slot: a connection is closed before its slot is given away, so that the server
/// never sees more than `connections_max`. Waiters exist only while no slot is empty or idle, and are served in the order
/// they came.
///
/// Nothing here throws but for memory. Not thread-safe: the owner holds a mutex.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::sql {

struct PoolLimits {
  std::size_t connections_min = 1;  ///< kept when idle
  std::size_t connections_max = 8;
  std::size_t waiters_max = 200;
  /// A connection is replaced after this age, less up to a tenth of it at random.
  std::chrono::milliseconds age_max{30 * 60'000};
  /// One that has rested longer than this is probed before it is handed out.
  std::chrono::milliseconds idle_before_check{1'000};
  /// One that has rested longer than this is closed, as long as `connections_min` remain.
  std::chrono::milliseconds idle_max{5 * 60'000};
};

class PoolState {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Slot = std::size_t;
  using Ticket = std::uint64_t;

  enum class Act {
    use,      ///< the slot's connection is yours
    check,    ///< it is yours, but probe it first; report `check_failed` if it is dead
    open,     ///< the slot is yours: open a connection and report `opened` or `open_failed`
    replace,  ///< close the slot's old connection, then as `open`
    wait,     ///< wait for a `Grant` with your ticket, or `give_up`
    refuse,   ///< too many are waiting
  };
  struct Decision {
    Act act;
    Slot slot = 0;
    Ticket ticket = 0;
  };
  /// A slot for somebody who waits: `act` is `use` or `open`.
  struct Grant {
    Ticket ticket;
    Act act;
    Slot slot;
  };

  explicit PoolState(const PoolLimits& limits);

  /// Somebody wants a connection.
  Decision acquire(Time now);
  /// The holder of `slot` has opened its connection. `random` spreads the ages.
  void opened(Slot slot, Time now, std::uint64_t random);
  /// It could not be opened: the error is its caller's. The slot goes to the next waiter, who tries for himself: after an
  /// outage nobody waits longer than the server does.
  std::optional<Grant> open_failed(Slot slot, Time now);
  /// The probe of a `check` failed. The holder closes the connection and then acts as after `open`. Others that rest are
  /// suspect too.
  void check_failed(Slot slot, Time now);

  enum class Release { keep, close };
  struct Released {
    Release what;                ///< `close`: close the connection, then report `closed`
    std::optional<Grant> grant;  ///< only with `keep`
  };
  Released release(Slot slot, bool healthy, Time now);
  /// The connection of a slot that was being closed is gone.
  std::optional<Grant> closed(Slot slot, Time now);

  /// The waiter's deadline has passed. False when it had been granted a slot, which it then has to take.
  bool give_up(Ticket ticket);
  /// Every connection opened before now is closed when it comes back, and not handed out again: the server has failed over.
  void bump_generation() { ++generation_; }
  /// Idle connections to close now (too old, of a former generation, or more than are needed); report `closed` for each.
  std::vector<Slot> prune(Time now);

  struct Counts {
    std::size_t open = 0;  ///< busy and idle
    std::size_t idle = 0;
    std::size_t busy = 0;  ///< handed out
    std::size_t opening = 0;
    std::size_t waiters = 0;
  };
  Counts counts() const;

  /// Remembers what the holder of `slot` is doing, for the messages about a full pool. Cut after 47 bytes.
  void note(Slot slot, std::string_view what);
  /// `8 of 8 connections are in use, the longest for 12.3 s (queue.claim), and 3 callers wait`
  std::string describe(Time now) const;

 private:
  enum class Phase : std::uint8_t { empty, opening, idle, busy, closing };
  struct Entry {
    Phase phase = Phase::empty;
    std::uint64_t generation = 0;
    Time expires_at{};
    Time since{};  ///< when it became idle, or when it was taken
    char note[48] = {};
  };

  bool stale(const Entry& entry, Time now) const { return entry.generation != generation_ || now >= entry.expires_at; }
  void take(Entry& entry, Phase phase, Time now);
  std::optional<Grant> grant(Slot slot, Act act, Time now);

  PoolLimits limits_;
  std::vector<Entry> entries_;
  std::vector<Slot> idle_;  ///< the last one returned is the first one taken: the rest may age and be closed
  std::deque<Ticket> waiters_;
  Ticket next_ticket_ = 1;
  std::uint64_t generation_ = 0;
  Time suspect_before_ = Time::min();  ///< connections idle since before this are probed, however short they rested
};

}  // namespace quarry::sql
