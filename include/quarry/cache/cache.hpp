#pragma once
/// The cache of a program: the table (`entries.hpp`), with what was read lately in memory above it.
///
///     cache::Cache cache(db, {.max_stale = 2s});
///     const auto page = cache.get_or_compute("rates:2026-03-01", 10min, [] { return fetch_rates(); });
///
/// **Memory.** A value that is found in memory is as it was in the table at most `max_stale` ago; it is never given out
/// behind its end. What this program sets or removes it sees at once, and other programs see it within their own
/// `max_stale`. Memory is bounded by bytes; what was used longest ago goes first.
///
/// **One computation per key.** `get_or_compute` lets one caller compute, of all threads and all programs that share the
/// database; the others wait and take its value. The right to compute is a lease in the table: if its holder dies, another
/// one begins after `compute_max`, and so it does when a computation takes longer than that. If the computation throws, its
/// caller gets the exception and one of those who wait tries in turn. What was computed is kept unless a value was set
/// meanwhile, which is newer, or the key was removed meanwhile, which the computation does not know of; its caller gets it
/// in any case.
///
/// **Hits** are counted in memory and written in batches, by `maintain`, which also removes what has expired and keeps the
/// table within its budget. A program calls it now and then (every ten seconds, say); any number of programs may.
///
/// Errors: those of the database, and `invalid` for a key or value out of bounds. Thread safety: all functions.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/cache/entries.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::cache {

struct CacheOptions {
  std::chrono::microseconds max_stale{std::chrono::seconds(1)};  ///< zero: every get asks the table
  /// With what each entry needs around it, some 200 bytes; a value above a 64th of this is not kept in memory.
  std::size_t memory_bytes_max = std::size_t{64} << 20;
  std::int64_t table_bytes_max = std::int64_t{1} << 30;  ///< of keys and values
  std::chrono::milliseconds compute_max{30'000};
};

/// Since the cache was made, of this program.
struct CacheStatistics {
  std::int64_t memory_hits = 0;
  std::int64_t table_hits = 0;
  std::int64_t misses = 0;
  std::int64_t computations = 0;
  std::int64_t memory_bytes = 0;  ///< now
  /// Of the gets so far, those that found a value: 0 to 1; 0 before the first.
  double hit_rate() const noexcept {
    const auto asked = memory_hits + table_hits + misses;
    return asked == 0 ? 0.0 : static_cast<double>(memory_hits + table_hits) / static_cast<double>(asked);
  }
};

/// What `maintain` did.
struct Maintained {
  std::int64_t expired = 0;
  std::int64_t evicted = 0;
};

class Cache {
 public:
  explicit Cache(Database db, CacheOptions options = {});
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  /// The value; nothing when there is none or its time is over.
  std::optional<std::string> get(std::string_view key);
  /// Sets or replaces. A time to live must be above zero.
  void set(std::string_view key, std::string_view value, const Ttl& ttl);
  /// False when there is a value.
  bool set_if_absent(std::string_view key, std::string_view value, const Ttl& ttl);
  /// False when there was none.
  bool remove(std::string_view key);
  /// Returns how many; all of them, in bounded transactions.
  std::int64_t remove_prefix(std::string_view prefix);
  /// How much longer the value is good for; an inner nothing for one without an end, nothing for none.
  std::optional<Ttl> ttl(std::string_view key);

  /// The value, or what `compute` gives, which is then kept. Not to be called inside of a transaction. `invalid` when
  /// `compute` asks for the same key.
  std::string get_or_compute(std::string_view key, const Ttl& ttl, const std::function<std::string()>& compute);

  /// Writes the hits down, removes what has expired, and evicts down to the budget, in bounded transactions.
  Maintained maintain();
  /// The figures of this program.
  CacheStatistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quarry::cache
