#include "quarry/cache/cache.hpp"

#include <fmt/format.h>

#include <atomic>

#include "cache/keys.hpp"
#include "cache/memory.hpp"
#include "cache/turns.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::cache {
namespace {

/// Says that a computation has ended, for those who wait in other programs.
constexpr std::string_view channel = "quarry_cache";
/// Their waiting does not depend on it.
constexpr std::chrono::milliseconds look_interval{200};
constexpr int batch = 1'000;

void check(const CacheOptions& options) {
  if (options.max_stale.count() < 0) throw_invalid("cache option max_stale must not be negative");
  if (options.table_bytes_max < 0) throw_invalid("cache option table_bytes_max must not be negative");
  if (options.compute_max.count() <= 0) throw_invalid("cache option compute_max must be above zero");
}

std::optional<Instant> end_of(const Ttl& ttl, Instant now) { return ttl ? std::optional(now + *ttl) : std::nullopt; }

}  // namespace

class Cache::Impl {
 public:
  Impl(Database db, CacheOptions options)
      : db_(std::move(db)), options_((check(options), options)), memory_(options.memory_bytes_max, options.max_stale) {}

  std::optional<std::string> get(std::string_view key) {
    const auto now = db_.now();
    if (auto hit = memory_.get(key, now)) {
      ++memory_hits_;
      return hit;
    }
    auto found = read(key);
    ++(found ? table_hits_ : misses_);
    if (!found) return std::nullopt;
    return std::move(found->value);
  }

  void set(std::string_view key, std::string_view value, const Ttl& ttl) {
    const auto at = db_.write([&](Write& tx) {
      cache::set(tx, key, value, ttl);
      return tx.now();
    });
    const Value kept{std::string(value), end_of(ttl, at)};
    memory_.changed(key, &kept, at);
  }

  bool set_if_absent(std::string_view key, std::string_view value, const Ttl& ttl) {
    Instant at;
    const bool is_set = db_.write([&](Write& tx) {
      at = tx.now();
      return cache::set_if_absent(tx, key, value, ttl);
    });
    const Value kept{std::string(value), end_of(ttl, at)};
    if (is_set) memory_.changed(key, &kept, at);
    return is_set;
  }

  bool remove(std::string_view key) {
    const bool was_there = db_.write([&](Write& tx) { return cache::remove(tx, key); });
    memory_.changed(key, nullptr, db_.now());
    return was_there;
  }

  std::int64_t remove_prefix(std::string_view prefix) {
    std::int64_t removed = 0;
    for (std::int64_t now = batch; now >= batch; removed += now)
      now = db_.write([&](Write& tx) { return cache::remove_prefix(tx, prefix, batch); });
    memory_.changed_prefix(prefix);
    return removed;
  }

  std::optional<Ttl> ttl(std::string_view key) {
    return db_.read([&](Read& tx) -> std::optional<Ttl> {
      const auto found = cache::get(tx, key);
      if (!found) return std::nullopt;
      if (!found->expires_at) return Ttl{};
      return Ttl{*found->expires_at - tx.now()};
    });
  }

  std::string get_or_compute(std::string_view key, const Ttl& ttl, const std::function<std::string()>& compute) {
    check_key(key);
    if (auto hit = get(key)) return *std::move(hit);
    const Turns::Turn turn(turns_, key);
    Waiter waiter(db_);
    const auto lease = lease_key(key);
    for (;;) {
      // Also at first: whoever had the turn before us may have computed it.
      if (auto found = read(key)) return std::move(found->value);
      const auto holder = to_string(db_.write([&](Write& tx) { return take_lease(tx, lease); }));
      if (holder == no_holder) {
        waiter.wait(look_interval);
        continue;
      }
      // It may have been computed between our look and our lease.
      if (auto found = read(key)) return release(lease, holder), std::move(found->value);
      return compute_as(holder, lease, key, ttl, compute);
    }
  }

  Maintained maintain() {
    if (const auto hits = memory_.take_hits(); !hits.empty()) db_.write([&](Write& tx) { cache::add_hits(tx, hits); });
    Maintained done;
    for (std::int64_t now = batch; now >= batch; done.expired += now)
      now = db_.write([&](Write& tx) { return cache::purge_expired(tx, batch); });
    for (std::int64_t now = batch; now >= batch; done.evicted += now)
      now = db_.write([&](Write& tx) { return cache::evict(tx, options_.table_bytes_max, batch); });
    return done;
  }

  CacheStatistics statistics() const {
    return {.memory_hits = memory_hits_,
            .table_hits = table_hits_,
            .misses = misses_,
            .computations = computations_,
            .memory_bytes = memory_.bytes()};
  }

 private:
  static inline const std::string no_holder = to_string(Uuid{});

  /// Sleeps until somebody has computed something, or for a while. Subscribes at its first use: most misses need none.
  class Waiter {
   public:
    explicit Waiter(const Database& db) : db_(db) {}
    void wait(std::chrono::milliseconds at_most) {
      if (!subscription_)
        subscription_ = db_.backend().subscribe(channel, [this] {
          const std::scoped_lock lock(mutex_);
          woken_ = true;
          changed_.notify_all();
        });
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, at_most, [&] { return woken_; });
      woken_ = false;
    }

   private:
    const Database& db_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    std::unique_ptr<sql::Subscription> subscription_;  ///< last: its end waits for the callback
  };

  std::optional<Value> read(std::string_view key) {
    const auto changes = memory_.changes(key);
    const auto read_at = db_.now();
    auto found = db_.read([&](Read& tx) { return cache::get(tx, key); });
    if (found) memory_.put(key, *found, read_at, changes);
    return found;
  }

  /// Nil when somebody else has it.
  Uuid take_lease(Write& tx, const std::string& lease) {
    const auto holder = tx.new_uuid();
    return take_own(tx, lease, to_string(holder), options_.compute_max) ? holder : Uuid{};
  }

  void release(const std::string& lease, const std::string& holder) {
    try {
      db_.write([&](Write& tx) {
        release_own(tx, lease, holder);
        tx.notify(channel);
      });
    } catch (const Error& error) {
      // It runs out by itself.
      log::warn("a computation's lease could not be given back: {}", error.client_message());
    }
  }

  std::string compute_as(const std::string& holder, const std::string& lease, std::string_view key, const Ttl& ttl,
                         const std::function<std::string()>& compute) {
    ++computations_;
    std::string value;
    try {
      value = compute();
    } catch (...) {
      release(lease, holder);
      throw;
    }
    Instant at;
    db_.write([&](Write& tx) {
      at = tx.now();
      cache::set(tx, key, value, ttl);
      release_own(tx, lease, holder);
      tx.notify(channel);
    });
    const Value kept{value, end_of(ttl, at)};
    memory_.changed(key, &kept, at);
    return value;
  }

  const Database db_;
  const CacheOptions options_;
  Memory memory_;
  Turns turns_;
  std::atomic<std::int64_t> memory_hits_{0};
  std::atomic<std::int64_t> table_hits_{0};
  std::atomic<std::int64_t> misses_{0};
  std::atomic<std::int64_t> computations_{0};
};

Cache::Cache(Database db, CacheOptions options) : impl_(std::make_unique<Impl>(std::move(db), options)) {}
Cache::~Cache() = default;

std::optional<std::string> Cache::get(std::string_view key) { return impl_->get(key); }
void Cache::set(std::string_view key, std::string_view value, const Ttl& ttl) { impl_->set(key, value, ttl); }
bool Cache::set_if_absent(std::string_view key, std::string_view value, const Ttl& ttl) {
  return impl_->set_if_absent(key, value, ttl);
}
bool Cache::remove(std::string_view key) { return impl_->remove(key); }
std::int64_t Cache::remove_prefix(std::string_view prefix) { return impl_->remove_prefix(prefix); }
std::optional<Ttl> Cache::ttl(std::string_view key) { return impl_->ttl(key); }
std::string Cache::get_or_compute(std::string_view key, const Ttl& ttl, const std::function<std::string()>& compute) {
  return impl_->get_or_compute(key, ttl, compute);
}
Maintained Cache::maintain() { return impl_->maintain(); }
CacheStatistics Cache::statistics() const { return impl_->statistics(); }

}  // namespace quarry::cache
