#include "schema/blockers.hpp"

#include <chrono>
#include <optional>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::schema {
namespace {

constexpr sql::Query<std::optional<std::string>(std::int64_t)> blockers_of{
    "schema.pg_blockers",
    "select string_agg(format('%s (process %s, %s)', coalesce(nullif(application_name, ''), 'a program without a name'), "
    "pid,"
    "                         coalesce(state, 'in the background')), ', ' order by pid)"
    "  from pg_stat_activity where pid = any (pg_blocking_pids(($1::bigint)::int))"};

/// Well below the lock timeout of a statement, so that a wait is seen before it ends.
constexpr std::chrono::milliseconds interval{150};

}  // namespace

BlockerWatch::BlockerWatch(const Database& db, std::int64_t pid) : db_(db), pid_(pid), thread_([this] { watch(); }) {}

BlockerWatch::~BlockerWatch() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
}

std::string BlockerWatch::last_seen() const {
  const std::scoped_lock lock(mutex_);
  return last_seen_;
}

void BlockerWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, interval, [this] { return stop_; })) {
    lock.unlock();
    std::optional<std::string> seen;
    try {
      seen = db_.read([&](Read& tx) { return tx.value(blockers_of, pid_); });
    } catch (const Error& error) {
      // The migration goes on without a name for what it waits for.
      log::debug("cannot ask who blocks the migrator: {}", error.client_message());
    }
    lock.lock();
    if (seen) last_seen_ = *seen;
  }
}

}  // namespace quarry::schema
