#pragma once
/// The values that were read or written lately, in memory, with the hits that have not been written yet.
///
/// Sharded by key, each shard with a lock of its own and its own list by last use. A shard counts its changes: what was read
/// from the table, or written to it, is taken in only if nothing of the shard was changed meanwhile, so that neither a slow
/// reader nor the slower one of two writers puts an old value above a new one.
///
/// Thread safety: all functions.

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "quarry/cache/entries.hpp"

namespace quarry::cache {

class Memory {
 public:
  Memory(std::size_t bytes_max, std::chrono::microseconds max_stale);

  /// Counts a hit when there is a value that is fresh enough.
  std::optional<std::string> get(std::string_view key, Instant now);
  /// Before the table is read or written: hand it to `put` or `changed`.
  std::uint64_t changes(std::string_view key) const;
  /// What the table held at `read_at`, unless the shard has changed since `changes`. It counts as a hit.
  void put(std::string_view key, const Value& value, Instant read_at, std::uint64_t changes);
  /// What has just been committed at `now`. Whoever is reading the table meanwhile does not get his value in, and neither
  /// does this one if the shard has changed since `changes`.
  void changed(std::string_view key, const Value& value, Instant now, std::uint64_t changes);
  /// The key was removed, or nobody knows what became of it.
  void forget(std::string_view key);
  void forget_prefix(std::string_view prefix);

  /// The hits since the last call, in the order of their keys. Of entries that had to go it remembers so many and no more.
  std::vector<Hits> take_hits();
  std::int64_t bytes() const;

 private:
  struct Entry {
    std::string key;
    Value value;
    Instant read_at;
    std::int64_t hits = 0;
    Instant last_used_at;
    /// With what an entry needs around it: its place in the list and in the map, and what the allocator adds.
    std::size_t bytes() const { return key.size() + value.value.size() + sizeof(Entry) + 96; }
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using Entries = std::list<Entry>;  ///< the last used first
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries entries;
    /// The keys lie in the entries, which a list never moves.
    std::unordered_map<std::string_view, Entries::iterator, TextHash, std::equal_to<>> by_key;
    std::vector<Hits> hits;  ///< of entries that had to go
    std::size_t bytes = 0;
    std::uint64_t changes = 0;
  };
  static constexpr std::size_t shard_count = 64;

  Shard& shard_of(std::string_view key) { return shards_[TextHash{}(key) % shard_count]; }
  const Shard& shard_of(std::string_view key) const { return shards_[TextHash{}(key) % shard_count]; }
  static constexpr std::size_t hits_kept_max = 1'024;

  static void note_hits(Shard& shard, Entry& entry);
  static void drop(Shard& shard, std::string_view key);
  static void erase(Shard& shard, Entries::iterator entry);
  void insert(Shard& shard, Entry entry);

  const std::size_t shard_bytes_max_;
  const std::chrono::microseconds max_stale_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace quarry::cache
