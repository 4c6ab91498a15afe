#pragma once
/// The database in figures: tables, queues, hosts, rates, the cache, connections. Cheap at any size, so that a monitor may
/// ask every few seconds.
///
///     const auto figures = ops::statistics(db);
///     for (const auto& queue : figures.queues) ...     // exact
///     for (const auto& table : figures.tables) ...     // table.exactness says what its figures are
///
/// **Exact** is what the schema keeps counters of: tasks by queue and state, hits and misses of the cache, the length of the
/// audit log. Everything else is bounded looking:
///
/// - PostgreSQL's rows are what its statistics say, its sizes what the file system says (`pg_total_relation_size`).
/// - SQLite keeps no counts. Of a small tree all pages are looked at, which is exact. Of a larger one its shape tells: the
///   root's children, times those of the first page below, and so on, times the rows of the first leaves (`dbstat`,
///   https://sqlite.org/dbstat.html), and never more than the rowids allow. That is mostly within a fifth, and in a young
///   tree within a factor of two. Where SQLite was built without `dbstat`, rows are counted to a thousand and there are no
///   sizes.
/// - Hosts are those of the first thousand that may be asked soonest and of the first thousand tasks under way.
/// - Rates are those of the last two thousand tasks that ended, within the last minute.
///
/// With `exact` every row is counted instead, which reads the whole database.
///
/// Hosts are named, nothing else of the rows' data is. Times are UTC. Errors: those of the database. Thread safety: all
/// functions.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/queue/control.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::ops {

enum class Exactness {
  exact,
  estimate,
  at_least,  ///< counted to here, and there are more
  unknown,   ///< nothing says how many; the figure is 0
};
BOOST_DESCRIBE_ENUM(Exactness, exact, estimate, at_least, unknown)

struct TableFigures {
  std::string name;
  std::int64_t rows = 0;
  Exactness exactness = Exactness::exact;  ///< of `rows`
  std::optional<std::int64_t> bytes;  ///< with indexes and what is stored out of line; on SQLite an estimate, as `rows` is
};
BOOST_DESCRIBE_STRUCT(TableFigures, (), (name, rows, exactness, bytes))

/// Tasks by state; exact.
struct QueueFigures {
  std::string name;
  bool is_paused = false;
  std::int64_t scheduled = 0;
  std::int64_t pending = 0;
  std::int64_t blocked = 0;
  std::int64_t paused = 0;
  std::int64_t processing = 0;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
  std::int64_t dead = 0;
  std::optional<std::int64_t> oldest_pending_us;  ///< how long the first in line has been due
};
BOOST_DESCRIBE_STRUCT(QueueFigures, (),
                      (name, is_paused, scheduled, pending, blocked, paused, processing, completed, failed, cancelled, dead,
                       oldest_pending_us))

struct HostFigures {
  std::string host;
  std::int64_t pending = 0;
  std::int64_t in_flight = 0;
  std::optional<Instant> blocked_until;  ///< when that is still to come
};
BOOST_DESCRIBE_STRUCT(HostFigures, (), (host, pending, in_flight, blocked_until))

/// Tasks that ended lately.
struct RateFigures {
  std::int64_t ended = 0;      ///< tasks looked at
  std::int64_t succeeded = 0;  ///< of them
  std::int64_t window_us = 0;  ///< the time that they took: a minute at most
  double ended_per_second = 0;
};
BOOST_DESCRIBE_STRUCT(RateFigures, (), (ended, succeeded, window_us, ended_per_second))

/// Of all programs, as far as they have written them.
struct CacheFigures {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  double hit_rate = 0;  ///< 0 to 1
};
BOOST_DESCRIBE_STRUCT(CacheFigures, (), (hits, misses, hit_rate))

/// Of the handle that was asked, since it was opened.
struct PoolFigures {
  std::int64_t connections = 0;
  std::int64_t connections_idle = 0;
  std::int64_t connections_max = 0;
  std::int64_t waiters = 0;
  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t commits = 0;
  std::int64_t retries = 0;
};
BOOST_DESCRIBE_STRUCT(PoolFigures, (),
                      (connections, connections_idle, connections_max, waiters, reads, writes, commits, retries))

struct Statistics {
  std::string engine;
  Instant at;
  std::int64_t duration_us = 0;
  std::int64_t database_bytes = 0;              ///< of the file or the database, with what is free in it
  std::optional<std::int64_t> free_bytes;       ///< of them, free pages that will be used again; SQLite
  std::optional<std::int64_t> log_bytes;        ///< the write-ahead log beside the file; SQLite
  std::optional<Instant> last_verified_backup;  ///< nothing: never
  std::int64_t audit_entries = 0;               ///< written in all, retired ones included
  std::vector<QueueFigures> queues;             ///< by name, a thousand at most
  std::int64_t open_jobs = 0;
  Exactness open_jobs_exactness = Exactness::exact;
  RateFigures rates;
  std::vector<HostFigures> hosts;  ///< those with the most that waits or is under way
  CacheFigures cache;
  PoolFigures pool;
  std::vector<TableFigures> tables;  ///< by name; without SQLite's own and those inside of the full-text index
};
BOOST_DESCRIBE_STRUCT(Statistics, (),
                      (engine, at, duration_us, database_bytes, free_bytes, log_bytes, last_verified_backup, audit_entries,
                       queues, open_jobs, open_jobs_exactness, rates, hosts, cache, pool, tables))

struct StatisticsOptions {
  int hosts_max = 10;
  bool tables = true;  ///< what costs most
  bool exact = false;  ///< counts every row, and may take minutes
};
/// One read transaction.
Statistics statistics(const Database& db, const StatisticsOptions& options = {});

}  // namespace quarry::ops
