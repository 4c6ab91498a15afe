#pragma once
/// One migrator at a time per schema of a PostgreSQL database, by a session-level advisory lock.
///
/// The lock is polled for with pg_try_advisory_lock and never waited for: a migrator in pg_advisory_lock holds a snapshot,
/// which CREATE INDEX CONCURRENTLY of the lock's holder waits for, and PostgreSQL ends that deadlock with an invalid index
/// (golang-migrate#960, flyway#1654). The server lets go of it when the connection ends, however it ends.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "quarry/sql/session.hpp"

namespace quarry::schema {

struct LockOptions {
  std::chrono::milliseconds wait{60'000};
  std::function<void(const std::string&)> on_wait{};  ///< called once when somebody else holds it
};

class PostgresLock {
 public:
  /// Throws `MigrationError` (locked) that names the holder when `wait` is over.
  PostgresLock(sql::Session& session, const LockOptions& options);

  /// Throws `MigrationError` (locked) when the lock is no longer ours: the connection is pooled per transaction, or an
  /// administrator ended it.
  void verify();
  /// The server's process behind the session.
  std::int64_t backend_pid() const noexcept { return pid_; }

 private:
  std::string describe_holder();

  sql::Session& session_;
  std::int64_t key_ = 0;
  std::int64_t pid_ = 0;
};

/// From the database, the schema and our name: two schemas can be migrated at once.
std::int64_t lock_key(std::string_view database, std::string_view schema);

}  // namespace quarry::schema
