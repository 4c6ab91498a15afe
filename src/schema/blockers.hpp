#pragma once
/// Who stands in the way of a PostgreSQL session: watched from another connection while the session waits, because
/// afterwards nobody can tell.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "quarry/sql/database.hpp"

namespace quarry::schema {

/// Asks a few times a second whom the process `pid` waits for, until it is destroyed. Thread-safe.
class BlockerWatch {
 public:
  BlockerWatch(const Database& db, std::int64_t pid);
  ~BlockerWatch();
  BlockerWatch(const BlockerWatch&) = delete;
  BlockerWatch& operator=(const BlockerWatch&) = delete;

  /// Whom it was last seen to wait for, `backup (process 123, idle in transaction)`; empty when nobody was seen.
  std::string last_seen() const;

 private:
  void watch();

  Database db_;
  std::int64_t pid_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::string last_seen_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace quarry::schema
