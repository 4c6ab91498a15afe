#pragma once
/// One engine behind a `Database`: a pool and a way to run closures in transactions. Implemented by `src/sql/sqlite` and
/// `src/sql/postgres`; programs do not need this header.
///
/// Errors: as `Database` says of the function of the same name.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quarry/sql/database.hpp"
#include "quarry/sql/observer.hpp"

namespace quarry::sql {

/// Tells that somebody committed something a listener may care about. See `Backend::subscribe`.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

/// One connection for one owner, outside the pool and outside any transaction: what a migrator needs. Statements of
/// `session()` commit one by one, until `session().run_script` begins a transaction ("begin", "begin immediate"); from then
/// on "commit" and "rollback" end it. Session-level state (advisory locks, SET, PRAGMA) stays until the end, when the
/// connection is closed and what is open is rolled back. Nothing is retried, no statement has a deadline of its own, and
/// `after_commit` is not available. Not thread-safe.
class DedicatedSession {
 public:
  virtual ~DedicatedSession() = default;
  /// The connection's statements.
  virtual Session& session() noexcept = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual Engine engine() const noexcept = 0;
  /// See `Database::read`.
  virtual void read(const ReadOptions& options, FunctionRef<void(Read&)> body) = 0;
  /// See `Database::write`.
  virtual void write(const WriteOptions& options, FunctionRef<void(Write&)> body) = 0;
  /// See `Database::stats`.
  virtual DatabaseStats stats() const = 0;
  /// The clock with the server's offset.
  virtual Instant now() const = 0;
  virtual Random& random() const noexcept = 0;
  virtual const std::string& display_url() const noexcept = 0;
  virtual const DatabaseOptions& options() const noexcept = 0;

  /// Runs `statement` outside any transaction, on a connection of its own: VACUUM, CREATE INDEX CONCURRENTLY, PRAGMA.
  virtual void run_outside_transaction(std::string_view name, std::string_view sql) = 0;

  /// A connection of its own to the same database, the same in-memory database included. On SQLite foreign keys are on and
  /// the busy timeout is set, as everywhere, and nobody else writes while it lives. Throws `unavailable` or `timeout` when
  /// it cannot be made, and `busy` on SQLite when others have been writing for as long as `busy_timeout`; a `wait` stands in
  /// its place.
  virtual std::unique_ptr<DedicatedSession> dedicated(std::optional<std::chrono::milliseconds> wait) = 0;
  std::unique_ptr<DedicatedSession> dedicated() { return dedicated(std::nullopt); }

  /// Calls `wake` from another thread soon after a transaction that called `Write::notify(channel)` has committed, in this
  /// process or another. May also call it without reason; polling stays the truth. LISTEN/NOTIFY on PostgreSQL; on SQLite a
  /// signal in the process, and a check of `PRAGMA data_version` every few milliseconds for other processes. Ends when the
  /// result is destroyed.
  virtual std::unique_ptr<Subscription> subscribe(std::string_view channel, std::function<void()> wake) = 0;
  /// Posts `job` to the threads that serve asynchronous calls.
  virtual void post(std::function<void()> job) = 0;

  /// Who is told of every statement and every closure of `Database::read` and `Database::write` from now on; null (the
  /// default): nobody. To be set before the handle is used by several threads.
  void observe(std::shared_ptr<Observer> observer) noexcept { observer_ = std::move(observer); }
  Observer* observer() const noexcept { return observer_.get(); }

 private:
  std::shared_ptr<Observer> observer_;
};

/// Opens a `sqlite:` URL; see `Database::open`.
std::shared_ptr<Backend> open_sqlite(std::string_view url, DatabaseOptions options);
/// Opens a `postgresql://` URL; see `Database::open`.
std::shared_ptr<Backend> open_postgres(std::string_view url, DatabaseOptions options);

}  // namespace quarry::sql
