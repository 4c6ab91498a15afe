#include "cache/memory.hpp"

namespace quarry::cache {

Memory::Memory(std::size_t bytes_max, std::chrono::microseconds max_stale)
    : shard_bytes_max_(bytes_max / shard_count), max_stale_(max_stale) {}

std::optional<std::string> Memory::get(std::string_view key, Instant now) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return std::nullopt;
  auto& entry = *found->second;
  if (now - entry.read_at > max_stale_ || (entry.value.expires_at && *entry.value.expires_at <= now)) return std::nullopt;
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
  if (shard.changes != changes) return note_hits(shard, entry);
  if (const auto old = shard.by_key.find(key); old != shard.by_key.end()) {
    entry.hits += old->second->hits;
    old->second->hits = 0;
    erase(shard, old->second);
  }
  insert(shard, std::move(entry));
}

void Memory::changed(std::string_view key, const Value* value, Instant now) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  ++shard.changes;
  if (const auto old = shard.by_key.find(key); old != shard.by_key.end()) erase(shard, old->second);
  if (value) insert(shard, {std::string(key), *value, now, 0, now});
}

void Memory::changed_prefix(std::string_view prefix) {
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
  note_hits(shard, *entry);
  shard.bytes -= entry->bytes();
  shard.by_key.erase(entry->key);
  shard.entries.erase(entry);
}

void Memory::insert(Shard& shard, Entry entry) {
  const auto bytes = entry.bytes();
  if (bytes > shard_bytes_max_) return note_hits(shard, entry);
  while (shard.bytes + bytes > shard_bytes_max_) erase(shard, std::prev(shard.entries.end()));
  shard.entries.push_front(std::move(entry));
  shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += bytes;
}

}  // namespace quarry::cache
