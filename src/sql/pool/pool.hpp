#pragma once
/// A bounded pool of connections that block: FIFO waiters with a deadline, probes of rested connections, ages with
/// jitter, generations. What to do is decided by `PoolState`; this does it, under one mutex and with every slow thing
/// (opening, probing, closing) outside of it.
///
///     Pool<Connection> pool({.connections_max = 8, .open = ..., .healthy = ..., .random = ...});
///     auto lease = pool.acquire(deadline);
///     lease->execute(...);          // if the connection broke: lease.poison();
///
/// Errors: `busy` when `waiters_max` callers wait already, `timeout` when the deadline or `acquire_timeout` passes (both say
/// how many connections are out, for how long, and doing what), and whatever `open` throws, which goes to the caller who
/// asked for it and to nobody else.
///
/// Thread safety: all functions may be called from any thread. A lease belongs to one thread at a time, and leases must
/// end before the pool does.

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "sql/pool/pool_state.hpp"

namespace quarry::sql {

template <class Connection>
struct PoolConfig {
  std::size_t connections_min = 1;
  std::size_t connections_max = 8;
  std::size_t waiters_max = 200;
  std::chrono::milliseconds acquire_timeout{30'000};
  std::chrono::milliseconds age_max{30 * 60'000};
  std::chrono::milliseconds idle_before_check{1'000};
  /// Makes a connection or throws; to be given up at the deadline.
  std::function<std::unique_ptr<Connection>(std::chrono::steady_clock::time_point deadline)> open;
  /// A quick probe of a connection that has rested, for a caller who waits until the deadline. Must not throw.
  std::function<bool(Connection&, std::chrono::steady_clock::time_point deadline)> healthy;
  std::function<std::uint64_t()> random;
};

/// Builds the error of a caller who got no connection. In a source file so that the template stays thin.
Error pool_exhausted(ErrorCode code, const std::string& load);

template <class Connection>
class Pool {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// One connection on loan. Goes back when it ends; after `poison` it is closed instead.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          slot_(other.slot_),
          connection_(std::move(other.connection_)),
          healthy_(other.healthy_) {}
    Lease& operator=(Lease&& other) noexcept {
      if (this != &other) {
        give_back();
        pool_ = std::exchange(other.pool_, nullptr);
        slot_ = other.slot_;
        connection_ = std::move(other.connection_);
        healthy_ = other.healthy_;
      }
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { give_back(); }

    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }
    explicit operator bool() const { return connection_ != nullptr; }
    void poison() noexcept { healthy_ = false; }
    /// Says what the holder is doing, for others' messages about a full pool.
    void note(std::string_view what) {
      if (pool_) pool_->note(slot_, what);
    }

   private:
    friend class Pool;
    Lease(Pool* pool, PoolState::Slot slot, std::unique_ptr<Connection> connection)
        : pool_(pool), slot_(slot), connection_(std::move(connection)) {}
    void give_back() noexcept {
      if (pool_) std::exchange(pool_, nullptr)->release(slot_, std::move(connection_), healthy_);
    }

    Pool* pool_ = nullptr;
    PoolState::Slot slot_ = 0;
    std::unique_ptr<Connection> connection_;
    bool healthy_ = true;
  };

  explicit Pool(PoolConfig<Connection> config)
      : config_(std::move(config)),
        state_({.connections_min = config_.connections_min,
                .connections_max = config_.connections_max,
                .waiters_max = config_.waiters_max,
                .age_max = config_.age_max,
                .idle_before_check = config_.idle_before_check}),
        resting_(std::max<std::size_t>(config_.connections_max, 1)) {}

  Lease acquire(Time deadline) { return acquire(clock(), deadline); }
  /// For a caller who has just looked at the clock.
  Lease acquire(Time now, Time deadline) {
    deadline = std::min(deadline, now + config_.acquire_timeout);
    std::unique_lock lock(mutex_);
    auto decision = state_.acquire(now);
    if (decision.act == PoolState::Act::refuse) throw pool_exhausted(ErrorCode::busy, state_.describe(now));
    Retired retired;
    if (decision.act == PoolState::Act::wait)
      decision = wait(lock, decision.ticket, deadline);
    else if (now >= next_look_)
      retired = retire(now);  // a waiter must not: whoever waits closes nothing, and nothing rests while somebody waits
    auto connection = std::move(resting_[decision.slot]);
    lock.unlock();
    close(std::move(retired));
    return carry_out(decision.act, decision.slot, std::move(connection), deadline);
  }

  void bump_generation() {
    std::unique_lock lock(mutex_);
    state_.bump_generation();
    auto retired = retire(clock());
    lock.unlock();
    close(std::move(retired));
  }

  /// Calls `body` with every connection that is not out, and says how many there are of each kind at that moment. Under the
  /// lock: what it does must be short, and neither throw nor use the pool.
  template <class Body>
  PoolState::Counts each_resting(Body body) {
    const std::scoped_lock lock(mutex_);
    for (auto& connection : resting_)
      if (connection) body(*connection);
    return state_.counts();
  }

  PoolState::Counts counts() const {
    const std::scoped_lock lock(mutex_);
    return state_.counts();
  }

 private:
  using Retired = std::vector<std::pair<PoolState::Slot, std::unique_ptr<Connection>>>;
  struct Waiter {
    std::condition_variable wake;
    std::optional<PoolState::Grant> grant;
  };

  static Time clock() { return std::chrono::steady_clock::now(); }

  PoolState::Decision wait(std::unique_lock<std::mutex>& lock, PoolState::Ticket ticket, Time deadline) {
    Waiter self;
    waiting_.emplace(ticket, &self);
    self.wake.wait_until(lock, deadline, [&] { return self.grant.has_value(); });
    waiting_.erase(ticket);
    if (!self.grant) {
      const auto load = state_.describe(clock());
      state_.give_up(ticket);
      throw pool_exhausted(ErrorCode::timeout, load);
    }
    return {self.grant->act, self.grant->slot, ticket};
  }

  Lease carry_out(PoolState::Act act, PoolState::Slot slot, std::unique_ptr<Connection> connection, Time deadline) {
    if (act == PoolState::Act::check && !config_.healthy(*connection, deadline)) {
      const std::scoped_lock lock(mutex_);
      state_.check_failed(slot, clock());
      act = PoolState::Act::replace;
    }
    if (act == PoolState::Act::use || act == PoolState::Act::check) return Lease(this, slot, std::move(connection));
    connection.reset();
    try {
      connection = config_.open(deadline);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      deliver(state_.open_failed(slot, clock()));
      throw;
    }
    const std::scoped_lock lock(mutex_);
    state_.opened(slot, clock(), config_.random ? config_.random() : 0);
    return Lease(this, slot, std::move(connection));
  }

  void release(PoolState::Slot slot, std::unique_ptr<Connection> connection, bool healthy) noexcept {
    {
      const std::scoped_lock lock(mutex_);
      const auto released = state_.release(slot, healthy, clock());
      if (released.what == PoolState::Release::keep) {
        resting_[slot] = std::move(connection);
        deliver(released.grant);
        return;
      }
    }
    close(slot, std::move(connection));
  }

  /// Under the lock: takes out what is to be closed.
  Retired retire(Time now) {
    next_look_ = now + look_interval;
    Retired retired;
    for (const auto slot : state_.prune(now)) retired.emplace_back(slot, std::move(resting_[slot]));
    return retired;
  }

  void close(Retired retired) noexcept {
    for (auto& [slot, connection] : retired) close(slot, std::move(connection));
  }

  void close(PoolState::Slot slot, std::unique_ptr<Connection> connection) noexcept {
    connection.reset();
    const std::scoped_lock lock(mutex_);
    deliver(state_.closed(slot, clock()));
  }

  /// Under the lock, so that the waiter is still there.
  void deliver(const std::optional<PoolState::Grant>& grant) {
    if (!grant) return;
    Waiter& waiter = *waiting_.at(grant->ticket);
    waiter.grant = grant;
    waiter.wake.notify_one();
  }

  void note(PoolState::Slot slot, std::string_view what) {
    const std::scoped_lock lock(mutex_);
    state_.note(slot, what);
  }

  /// How often what rests is looked through for what is old or spare; what is handed out is looked at each time.
  static constexpr std::chrono::milliseconds look_interval{100};

  PoolConfig<Connection> config_;
  mutable std::mutex mutex_;
  PoolState state_;
  Time next_look_{};
  std::vector<std::unique_ptr<Connection>> resting_;  ///< by slot; empty for what is out
  std::map<PoolState::Ticket, Waiter*> waiting_;
};

}  // namespace quarry::sql
