#include "sql/pool/pool_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace quarry::sql {

PoolState::PoolState(const PoolLimits& limits) : limits_(limits) {
  limits_.connections_max = std::max<std::size_t>(limits_.connections_max, 1);
  limits_.connections_min = std::min(limits_.connections_min, limits_.connections_max);
  entries_.resize(limits_.connections_max);
  idle_.reserve(limits_.connections_max);
}

void PoolState::take(Entry& entry, Phase phase, Time now) {
  entry.phase = phase;
  entry.since = now;
  entry.note[0] = '\0';
}

PoolState::Decision PoolState::acquire(Time now) {
  if (!idle_.empty()) {
    const Slot slot = idle_.back();
    idle_.pop_back();
    Entry& entry = entries_[slot];
    if (stale(entry, now)) {
      take(entry, Phase::opening, now);
      return {Act::replace, slot, 0};
    }
    const bool check = now - entry.since >= limits_.idle_before_check || entry.since < suspect_before_;
    take(entry, Phase::busy, now);
    return {check ? Act::check : Act::use, slot, 0};
  }
  for (Slot slot = 0; slot < entries_.size(); ++slot) {
    if (entries_[slot].phase != Phase::empty) continue;
    take(entries_[slot], Phase::opening, now);
    return {Act::open, slot, 0};
  }
  if (waiters_.size() >= limits_.waiters_max) return {Act::refuse, 0, 0};
  waiters_.push_back(next_ticket_);
  return {Act::wait, 0, next_ticket_++};
}

void PoolState::opened(Slot slot, Time now, std::uint64_t random) {
  Entry& entry = entries_[slot];
  entry.phase = Phase::busy;
  entry.generation = generation_;
  const auto spread = static_cast<std::uint64_t>(limits_.age_max.count()) / 10;
  const auto less = std::chrono::milliseconds(spread == 0 ? 0 : static_cast<std::int64_t>(random % spread));
  entry.expires_at = now + (limits_.age_max - less);
}

std::optional<PoolState::Grant> PoolState::open_failed(Slot slot, Time now) {
  entries_[slot].phase = Phase::empty;
  return grant(slot, Act::open, now);
}

void PoolState::check_failed(Slot slot, Time now) {
  take(entries_[slot], Phase::opening, now);
  suspect_before_ = now;
}

PoolState::Released PoolState::release(Slot slot, bool healthy, Time now) {
  Entry& entry = entries_[slot];
  if (!healthy) suspect_before_ = now;
  if (!healthy || stale(entry, now)) {
    entry.phase = Phase::closing;
    return {Release::close, std::nullopt};
  }
  if (auto granted = grant(slot, Act::use, now)) return {Release::keep, granted};
  entry.phase = Phase::idle;
  entry.since = now;
  idle_.push_back(slot);
  return {Release::keep, std::nullopt};
}

std::optional<PoolState::Grant> PoolState::closed(Slot slot, Time now) {
  entries_[slot].phase = Phase::empty;
  return grant(slot, Act::open, now);
}

std::optional<PoolState::Grant> PoolState::grant(Slot slot, Act act, Time now) {
  if (waiters_.empty()) return std::nullopt;
  const Ticket ticket = waiters_.front();
  waiters_.pop_front();
  take(entries_[slot], act == Act::open ? Phase::opening : Phase::busy, now);
  return Grant{ticket, act, slot};
}

bool PoolState::give_up(Ticket ticket) {
  const auto found = std::find(waiters_.begin(), waiters_.end(), ticket);
  if (found == waiters_.end()) return false;
  waiters_.erase(found);
  return true;
}

std::vector<PoolState::Slot> PoolState::prune(Time now) {
  std::vector<Slot> out;
  std::size_t open = counts().open;
  // The front has rested longest, because the back is taken first.
  for (const Slot slot : idle_) {
    const Entry& entry = entries_[slot];
    const bool spare = open > limits_.connections_min && now - entry.since >= limits_.idle_max;
    if (!stale(entry, now) && !spare) continue;
    out.push_back(slot);
    --open;
  }
  for (const Slot slot : out) {
    entries_[slot].phase = Phase::closing;
    std::erase(idle_, slot);
  }
  return out;
}

PoolState::Counts PoolState::counts() const {
  Counts counts;
  for (const Entry& entry : entries_) {
    counts.idle += entry.phase == Phase::idle;
    counts.busy += entry.phase == Phase::busy;
    counts.opening += entry.phase == Phase::opening;
  }
  counts.open = counts.idle + counts.busy;
  counts.waiters = waiters_.size();
  return counts;
}

void PoolState::note(Slot slot, std::string_view what) {
  Entry& entry = entries_[slot];
  const std::size_t size = std::min(what.size(), sizeof entry.note - 1);
  std::memcpy(entry.note, what.data(), size);
  entry.note[size] = '\0';
}

std::string PoolState::describe(Time now) const {
  const Counts now_counts = counts();
  std::string text = fmt::format("{} of {} connections are in use", now_counts.busy, entries_.size());
  if (now_counts.opening > 0) text += fmt::format(", {} are being opened", now_counts.opening);
  const Entry* longest = nullptr;
  for (const Entry& entry : entries_)
    if (entry.phase == Phase::busy && (!longest || entry.since < longest->since)) longest = &entry;
  if (longest) {
    const double seconds = std::chrono::duration<double>(now - longest->since).count();
    text += fmt::format(", the longest for {:.1f} s", seconds);
    if (longest->note[0]) text += fmt::format(" ({})", longest->note);
  }
  return text + fmt::format(", and {} callers wait", now_counts.waiters);
}

}  // namespace quarry::sql
