#include "quarry/cache/cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "cache/keys.hpp"
#include "cache/leases.hpp"
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
    change(key, value, ttl, [&](Write& tx) {
      cache::set(tx, key, value, ttl);
      return true;
    });
  }

  bool set_if_absent(std::string_view key, std::string_view value, const Ttl& ttl) {
    return change(key, value, ttl, [&](Write& tx) { return cache::set_if_absent(tx, key, value, ttl); });
  }

  bool remove(std::string_view key) {
    const AtEnd forgetting([&] { memory_.forget(key); });
    return db_.write([&](Write& tx) { return cache::remove(tx, key); });
  }

  std::int64_t remove_prefix(std::string_view prefix) {
    const AtEnd forgetting([&] { memory_.forget_prefix(prefix); });
    std::int64_t removed = 0;
    for (std::int64_t now = batch; now >= batch; removed += now)
      now = db_.write([&](Write& tx) { return cache::remove_prefix(tx, prefix, batch); });
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
    const Turns::Turn turn(turns_, key, options_.compute_max);
    Waiter waiter(db_);
    for (;;) {
      // Also at first: whoever had the turn before us may have computed it.
      if (auto found = read(key)) return std::move(found->value);
      const auto lease = db_.write([&](Write& tx) { return take_lease(tx, key, options_.compute_max); });
      if (!lease) {
        waiter.wait(look_interval);
        continue;
      }
      // It may have been computed between our look and our lease.
      if (auto found = read(key)) return release(*lease), std::move(found->value);
      return compute_as(*lease, key, ttl, compute);
    }
  }

  Maintained maintain() {
    write_hits();
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
  template <class F>
  class AtEnd {
   public:
    explicit AtEnd(F body) : body_(std::move(body)) {}
    ~AtEnd() { body_(); }
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;

   private:
    F body_;
  };

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

  /// `body` writes the value, or says that it did not.
  template <class F>
  bool change(std::string_view key, std::string_view value, const Ttl& ttl, F body) {
    const auto changes = memory_.changes(key);
    Instant at;
    bool is_set = false;
    try {
      is_set = db_.write([&](Write& tx) {
        at = tx.now();
        return body(tx);
      });
    } catch (...) {
      // It may have been committed all the same, if the connection broke on the way.
      memory_.forget(key);
      throw;
    }
    if (is_set) memory_.changed(key, {std::string(value), end_of(ttl, at)}, at, changes);
    return is_set;
  }

  void write_hits() {
    const auto hits = memory_.take_hits();
    for (std::size_t i = 0; i < hits.size(); i += batch)
      db_.write([&](Write& tx) {
        cache::add_hits(tx, std::span(hits).subspan(i, std::min(hits.size() - i, std::size_t{batch})));
      });
    const auto asked_hits = memory_hits_ + table_hits_, asked_misses = misses_.load();
    const auto new_hits = asked_hits - hits_written_.exchange(asked_hits);
    const auto new_misses = asked_misses - misses_written_.exchange(asked_misses);
    if (new_hits > 0 || new_misses > 0) db_.write([&](Write& tx) { cache::add_asked(tx, new_hits, new_misses); });
  }

  void release(const Lease& lease) {
    try {
      db_.write([&](Write& tx) {
        release_lease(tx, lease);
        tx.notify(channel);
      });
    } catch (const Error& error) {
      // It runs out by itself.
      log::warn("a computation's lease could not be given back: {}", error.client_message());
    }
  }

  std::string compute_as(const Lease& lease, std::string_view key, const Ttl& ttl,
                         const std::function<std::string()>& compute) {
    ++computations_;
    try {
      auto value = compute();
      change(key, value, ttl, [&](Write& tx) {
        tx.notify(channel);
        return keep_computed(tx, lease, key, value, ttl);
      });
      return value;
    } catch (...) {
      release(lease);
      throw;
    }
  }

  const Database db_;
  const CacheOptions options_;
  Memory memory_;
  Turns turns_;
  std::atomic<std::int64_t> memory_hits_{0};
  std::atomic<std::int64_t> table_hits_{0};
  std::atomic<std::int64_t> misses_{0};
  std::atomic<std::int64_t> computations_{0};
  std::atomic<std::int64_t> hits_written_{0};
  std::atomic<std::int64_t> misses_written_{0};
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
