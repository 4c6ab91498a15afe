#pragma once
/// Settings of a database handle. Every default is meant for production; the units stand last in the names.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "quarry/core/random.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/actor.hpp"

namespace quarry {

/// When a commit counts as done on SQLite. `full` survives a power cut; `normal` may lose the last commits then, but never
/// corrupts and loses nothing when only the process dies. PostgreSQL's `synchronous_commit` is set in the URL's `options`.
enum class Synchronous { full, normal };

struct DatabaseOptions {
  /// Create the SQLite file when it does not exist. The directory must exist either way.
  bool create = true;
  /// Open for reading only; `Database::write` is then `denied`.
  bool read_only = false;

  /// Connections at most: all of them on PostgreSQL, the readers on SQLite (which has one writer besides).
  std::size_t connections_max = 8;
  /// Kept open when idle.
  std::size_t connections_min = 1;
  /// Callers that may wait for a connection; one more is refused at once (`busy`), which sheds load instead of piling it up.
  std::size_t waiters_max = 200;
  /// One deadline over waiting for a connection and making it.
  std::chrono::milliseconds acquire_timeout{30'000};
  /// A connection is replaced after this age, less up to a tenth of it at random, so that they do not all end at once.
  std::chrono::milliseconds connection_age_max{30 * 60'000};
  /// An idle connection is probed before it is handed out when it has rested longer than this.
  std::chrono::milliseconds idle_before_check{1'000};

  /// Longest single statement. PostgreSQL: `statement_timeout`, and a client-side deadline a little later. SQLite: an
  /// interrupt.
  std::chrono::milliseconds statement_timeout{60'000};
  /// How long SQLite waits for another process's write, and PostgreSQL for a row lock (`lock_timeout`).
  std::chrono::milliseconds busy_timeout{30'000};
  /// Runs of one closure in all when it meets 40001, 40P01 or SQLITE_BUSY.
  int attempts_max = 10;

  /// Prepared statements kept per connection; the least recently used one goes first.
  std::size_t statement_cache_max = 256;
  /// Off for PgBouncer's transaction pooling before 1.21, which cannot carry prepared statements.
  bool server_prepare = true;

  Synchronous synchronous = Synchronous::full;
  /// Writes that share one durable commit on SQLite, at most.
  std::size_t group_commit_max = 256;
  /// Threads that run closures posted with a completion token (`quarry/sql/async.hpp`).
  std::size_t async_threads = 4;

  /// Shared so that they outlive the handle's connections. Null means the system's.
  std::shared_ptr<const Clock> clock{};
  std::shared_ptr<Random> random{};
};

struct ReadOptions {
  /// Answer by then or throw `timeout`. Zero: the statement timeout alone.
  std::chrono::milliseconds deadline{0};
  /// On whose behalf.
  Actor actor{};
};

enum class Isolation { read_committed, repeatable_read, serializable };

struct WriteOptions {
  std::chrono::milliseconds deadline{0};
  /// PostgreSQL only; SQLite's writes are serial anyway.
  Isolation isolation = Isolation::read_committed;
  /// Do not share a commit with others. For long transactions, which would make the others wait.
  bool alone = false;
  /// On whose behalf.
  Actor actor{};
};

}  // namespace quarry
