#include "quarry/queue/lease_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

LeaseKeeper::LeaseKeeper(Database db, milliseconds lease, OnEnd on_end)
    : db_(std::move(db)), lease_(lease), on_end_(std::move(on_end)) {
  if (lease < milliseconds(100) || lease > std::chrono::hours(24))
    throw_invalid(fmt::format("lease of {} ms: it must be from 100 ms to a day", lease.count()));
  thread_ = std::thread([this] { run(); });
}

LeaseKeeper::~LeaseKeeper() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LeaseKeeper::add(const LeaseRef& lease) { add(std::span(&lease, 1)); }

void LeaseKeeper::add(std::span<const LeaseRef> leases) {
  const std::scoped_lock lock(mutex_);
  if (leases_.empty()) got_through_ = steady_clock::now();
  for (const auto& lease : leases) leases_[lease.id] = {lease.lease_token, false};
}

void LeaseKeeper::remove(TaskId task) {
  const std::scoped_lock lock(mutex_);
  leases_.erase(task);
}

void LeaseKeeper::remove(const LeaseRef& lease) {
  const std::scoped_lock lock(mutex_);
  const auto kept = leases_.find(lease.id);
  if (kept != leases_.end() && kept->second.token == lease.lease_token) leases_.erase(kept);
}

bool LeaseKeeper::keeps(const LeaseRef& lease) const {
  const std::scoped_lock lock(mutex_);
  const auto kept = leases_.find(lease.id);
  return kept != leases_.end() && kept->second.token == lease.lease_token;
}

std::size_t LeaseKeeper::size() const {
  const std::scoped_lock lock(mutex_);
  return leases_.size();
}

void LeaseKeeper::run() {
  bool reached = true;
  std::unique_lock lock(mutex_);
  auto next_beat = steady_clock::now() + lease_ / 3;
  while (!stopping_) {
    changed_.wait_until(lock, std::min<steady_clock::time_point>(next_beat, steady_clock::now() + look_interval),
                        [&] { return stopping_; });
    if (stopping_) return;
    const bool is_beat = steady_clock::now() >= next_beat;
    const bool is_idle = leases_.empty();
    lock.unlock();
    if (is_beat) {
      if (!is_idle) reached = beat(reached);
      next_beat = steady_clock::now() + (reached ? lease_ / 3 : lease_ / 30);
    } else if (!is_idle && reached) {
      look();
    }
    lock.lock();
  }
}

void LeaseKeeper::catch_up() {
  {
    const std::scoped_lock lock(mutex_);
    if (leases_.empty() || steady_clock::now() - got_through_ < lease_ * 2 / 3) return;
  }
  beat();
}

std::vector<LeaseRef> LeaseKeeper::kept_leases(bool untold_only) const {
  const std::scoped_lock lock(mutex_);
  std::vector<LeaseRef> leases;
  leases.reserve(leases_.size());
  for (const auto& [id, kept] : leases_)
    if (!untold_only || !kept.told_cancelled) leases.push_back({id, kept.token});
  return leases;
}

void LeaseKeeper::beat() {
  const auto asked = kept_leases(false);
  const auto began = steady_clock::now();
  // A heartbeat that takes longer than a lease comes too late for all of them.
  report(db_.write({.deadline = lease_}, [&](Write& tx) { return heartbeat(tx, asked, lease_); }), asked);
  const std::scoped_lock lock(mutex_);
  got_through_ = std::max(got_through_, began);
}

/// False when the database could not be asked. `reached`: the last time it could.
bool LeaseKeeper::beat(bool reached) {
  try {
    beat();
    return true;
  } catch (const Error& error) {
    // One line for one outage.
    if (reached) log::warn("cannot extend the leases of {} tasks: {}", size(), error.client_message());
    return false;
  }
}

/// Only for the news: a look that fails is made up for by the next one, and of a database that is away the heartbeat tells.
void LeaseKeeper::look() {
  const auto asked = kept_leases(true);
  if (asked.empty()) return;
  try {
    // No longer than a heartbeat can do without us.
    const auto cancelled = db_.read({.deadline = lease_ / 3}, [&](Read& tx) { return cancel_requests(tx, asked); });
    report({.lost = {}, .cancelled = cancelled}, asked);
  } catch (const Error& error) {
    log::debug("cannot look which of {} tasks were cancelled: {}", asked.size(), error.client_message());
  }
}

void LeaseKeeper::report(const HeartbeatResult& result, std::span<const LeaseRef> asked) {
  std::vector<std::pair<TaskId, LeaseEnd>> news;
  {
    const std::scoped_lock lock(mutex_);
    // What was removed meanwhile, or given again under a new token, is no news.
    const auto still_kept = [&](TaskId id) {
      const auto kept = leases_.find(id);
      const auto was = std::ranges::lower_bound(asked, id, {}, &LeaseRef::id);
      return kept != leases_.end() && kept->second.token == was->lease_token ? &kept->second : nullptr;
    };
    for (const auto id : result.lost) {
      if (!still_kept(id)) continue;
      leases_.erase(id);
      news.emplace_back(id, LeaseEnd::lost);
    }
    for (const auto id : result.cancelled) {
      const auto kept = still_kept(id);
      if (!kept || std::exchange(kept->told_cancelled, true)) continue;
      news.emplace_back(id, LeaseEnd::cancelled);
    }
  }
  for (const auto& [id, why] : news) on_end_(id, why);
}

}  // namespace quarry::queue
