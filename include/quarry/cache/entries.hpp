#pragma once
/// The cache's table: texts by key that may be forgotten, each until its time is over or room is needed. What has expired is
/// absent, whether it has been removed yet or not.
///
/// `cache.hpp` is what programs use: it keeps what was read lately in memory, counts hits, and computes what is missing
/// once. Here are the statements, for those who want them in a transaction of their own.
///
/// A key has 1 to 255 characters and does not begin with `quarry.`; a value is UTF-8 without zero bytes, of at most 16 MiB.
/// Entries have no owner, so that they are the system's and the admins': a transaction on behalf of a user is `denied`.
/// Errors: `invalid`, `denied`. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "quarry/sql/transaction.hpp"
#include "quarry/store/page.hpp"

namespace quarry::cache {

/// How long a value is good for; nothing means until it is evicted.
using Ttl = std::optional<std::chrono::microseconds>;

struct Value {
  std::string value;
  std::optional<Instant> expires_at;
};
BOOST_DESCRIBE_STRUCT(Value, (), (value, expires_at))

/// The value; nothing when there is none or its time is over.
std::optional<Value> get(Read& tx, std::string_view key);
/// Sets or replaces. A time to live must be above zero.
void set(Write& tx, std::string_view key, std::string_view value, const Ttl& ttl);
/// False when there is a value.
bool set_if_absent(Write& tx, std::string_view key, std::string_view value, const Ttl& ttl);
/// False when there was no value. What is being computed for the key is not kept either: it began before.
bool remove(Write& tx, std::string_view key);
/// Removes up to `limit` values whose keys begin so, and keeps nothing of what is being computed for such keys. Returns how
/// many; call again while it returns `limit`. An empty prefix is `invalid`.
std::int64_t remove_prefix(Write& tx, std::string_view prefix, int limit = 1'000);

/// Removes up to `limit` values that have expired, the oldest first. Returns how many.
std::int64_t purge_expired(Write& tx, int limit = 1'000);
/// Removes up to `limit` values, those that were used longest ago first, until at most `bytes` are stored. Returns how many;
/// call again while it returns `limit`.
std::int64_t evict(Write& tx, std::int64_t bytes, int limit = 1'000);

/// Hits of a key since they were written last. Keys that are gone are passed over.
struct Hits {
  std::string key;
  std::int64_t hits = 0;
  Instant last_used_at;
};
BOOST_DESCRIBE_STRUCT(Hits, (), (key, hits, last_used_at))
/// Adds the hits to their entries and moves `last_used_at` forward.
void add_hits(Write& tx, std::span<const Hits> hits);
/// Adds to the sums of all programs, which outlive the entries.
void add_asked(Write& tx, std::int64_t hits, std::int64_t misses);

/// The sums of all programs, as far as they have been written. Two look-ups.
struct Asked {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
};
BOOST_DESCRIBE_STRUCT(Asked, (), (hits, misses))
/// How often the cache was asked since the database was made.
Asked asked(Read& tx);

struct TableStatistics {
  std::int64_t entries = 0;  ///< with those that have expired
  std::int64_t expired = 0;
  std::int64_t bytes = 0;   ///< of keys and values
  std::int64_t hits = 0;    ///< of all programs, also of entries that are gone, as far as they have been written
  std::int64_t misses = 0;  ///< likewise
  /// From 0 to 1.
  double hit_rate() const noexcept {
    return hits + misses == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(hits + misses);
  }
};
BOOST_DESCRIBE_STRUCT(TableStatistics, (), (entries, expired, bytes, hits, misses))
/// Its cost grows with the number of entries.
TableStatistics table_statistics(Read& tx);

struct Entry {
  std::string id;  ///< the key
  std::int64_t size_bytes = 0;
  std::int64_t hit_count = 0;
  std::optional<Instant> expires_at;
  Instant last_used_at;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (id, size_bytes, hit_count, expires_at, last_used_at, created_at))
/// By key, without the values; those that begin with `prefix`. What has expired is left out.
Page<Entry> list(Read& tx, std::string_view prefix = {}, const PageRequest& page = {});

}  // namespace quarry::cache
