#include "cache/memory.hpp"

#include <algorithm>

namespace quarry::cache {

Memory::Memory(std::size_t bytes_max, std::chrono::microseconds max_stale)
    : shard_bytes_max_(bytes_max / shard_count), max_stale_(max_stale) {}

std::optional<std::string> Memory::get(std::string_view key, Instant now) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return std::nullopt;
  auto& entry = *found->second;
  // A clock that was set back tells nothing of an entry's age.
  const auto age = now - entry.read_at;
  if (age > max_stale_ || age.count() < 0 || max_stale_.count() == 0) return std::nullopt;
  if (entry.value.expires_at && *entry.value.expires_at <= now) return std::nullopt;
  ++entry.hits;
  entry.last_used_at = now;
  if (found->second != shard.entries.begin()) shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  return entry.value.value;
}

std::uint64_t Memory::changes(std::string_view key) const {
  const auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  return shard.changes;
}

void Memory::put(std::string_view key, const Value& value, Instant read_at, std::uint64_t changes) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  Entry entry{std::string(key), value, read_at, 1, read_at};
  if (shard.changes != changes) return;
  if (const auto old = shard.by_key.find(key); old != shard.by_key.end()) {
    entry.hits += old->second->hits;
    old->second->hits = 0;
    erase(shard, old->second);
  }
  insert(shard, std::move(entry));
}

void Memory::changed(std::string_view key, const Value& value, Instant now, std::uint64_t changes) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const bool is_alone = shard.changes == changes;
  ++shard.changes;
  drop(shard, key);
  if (is_alone) insert(shard, {std::string(key), value, now, 0, now});
}

void Memory::forget(std::string_view key) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  ++shard.changes;
  drop(shard, key);
}

void Memory::drop(Shard& shard, std::string_view key) {
  if (const auto old = shard.by_key.find(key); old != shard.by_key.end()) erase(shard, old->second);
}

void Memory::forget_prefix(std::string_view prefix) {
  for (auto& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    ++shard.changes;
    for (auto entry = shard.entries.begin(); entry != shard.entries.end();) {
      const auto at = entry++;
      if (at->key.starts_with(prefix)) erase(shard, at);
    }
  }
}

std::vector<Hits> Memory::take_hits() {
  std::vector<Hits> hits;
  for (auto& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    for (auto& entry : shard.entries) note_hits(shard, entry);
    hits.insert(hits.end(), std::make_move_iterator(shard.hits.begin()), std::make_move_iterator(shard.hits.end()));
    shard.hits.clear();
  }
  std::sort(hits.begin(), hits.end(), [](const Hits& a, const Hits& b) { return a.key < b.key; });
  return hits;
}

std::int64_t Memory::bytes() const {
  std::size_t sum = 0;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    sum += shard.bytes;
  }
  return static_cast<std::int64_t>(sum);
}

void Memory::note_hits(Shard& shard, Entry& entry) {
  if (entry.hits > 0) shard.hits.push_back({entry.key, entry.hits, entry.last_used_at});
  entry.hits = 0;
}

void Memory::erase(Shard& shard, Entries::iterator entry) {
  if (shard.hits.size() < hits_kept_max) note_hits(shard, *entry);
  shard.bytes -= entry->bytes();
  shard.by_key.erase(entry->key);
  shard.entries.erase(entry);
}

void Memory::insert(Shard& shard, Entry entry) {
  const auto bytes = entry.bytes();
  if (bytes > shard_bytes_max_) {
    if (shard.hits.size() < hits_kept_max) note_hits(shard, entry);
    return;
  }
  while (shard.bytes + bytes > shard_bytes_max_) erase(shard, std::prev(shard.entries.end()));
  shard.entries.push_front(std::move(entry));
  shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += bytes;
}

}  // namespace quarry::cache
