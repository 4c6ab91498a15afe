#pragma once
/// The driver line: what an engine must be able to do inside a transaction. `sqlite/` and `postgres/` implement it; `Read`
/// and `Write` are the typed, inlined skin over it. About ten functions, so that a third engine stays thinkable.
///
/// Errors: what the engine says, as an `Error` that names the query. Thread safety: none; one thread at a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "quarry/core/random.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/actor.hpp"
#include "quarry/sql/cursor.hpp"
#include "quarry/sql/param.hpp"
#include "quarry/sql/query.hpp"

namespace quarry::sql {

/// Rows on their way in, one at a time, without a copy of them all.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// How many rows there are.
  virtual std::size_t size() const = 0;
  /// Writes the parameters of row `index`; they stay valid until the next call or the end of the batch's source data.
  virtual void fill(std::size_t index, Param* out) const = 0;
};

/// A table and the columns that a bulk insert fills, in the order of the parameters.
struct BulkTarget {
  std::string_view name;  ///< `search_results`: names the statement and the table
  std::span<const std::string_view> columns;
  std::span<const Kind> kinds;
};

enum class OnConflict {
  fail,     ///< a duplicate key is an error; the fastest way in (COPY on PostgreSQL)
  nothing,  ///< rows whose key exists are skipped and not counted
};

/// One of several statements that go out together.
struct PipelineItem {
  const Statement* statement;
  std::span<const Param> params;
  std::function<void(Cursor&)> consume;  ///< reads the rows; called in order
};

/// One transaction in progress. Not thread-safe; lives as long as the closure that was handed it.
class Session {
 public:
  virtual ~Session() = default;

  virtual Engine engine() const noexcept = 0;
  /// The transaction's time: on PostgreSQL the library's clock plus the server's offset, measured when the connection was
  /// opened, so that machines with different clocks agree on leases.
  virtual Instant now() const = 0;
  virtual Random& random() const noexcept = 0;

  /// On whose behalf the statements run. `Database` sets it before the closure and takes it back after it.
  const Actor& actor() const noexcept { return actor_; }
  /// From now on the statements run for `actor`.
  virtual void act_as(const Actor& actor) { actor_ = actor; }

  /// Starts a statement. The cursor belongs to the session and is closed before the same statement is started again.
  virtual Cursor& execute(const Statement& statement, std::span<const Param> params) = 0;
  /// Like `execute`, but never holds more than about `chunk_rows` rows in memory. Other statements may run meanwhile.
  virtual Cursor& stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) = 0;
  /// The same statement for every row. Pipelined on PostgreSQL. Returns the rows touched in all.
  virtual std::int64_t execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) = 0;
  /// Several statements of one caller: one round trip on PostgreSQL, a plain sequence on SQLite.
  virtual void pipeline(std::span<PipelineItem> items) = 0;
  /// COPY or one prepared loop. Returns the rows inserted.
  virtual std::int64_t insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) = 0;
  /// Statements without parameters or results, separated by semicolons: schema changes. `name` is for errors.
  virtual void run_script(std::string_view name, std::string_view sql) = 0;

  /// A point to return to within the transaction. They nest: the last one opened is the first one closed.
  virtual void savepoint() = 0;
  /// Closes the last point that was opened, and keeps what was done since.
  virtual void release_savepoint() = 0;
  /// Closes it, and undoes what was done since.
  virtual void rollback_savepoint() = 0;

  /// Runs when the commit is durable, on the thread that committed; never when the transaction rolls back. Must not throw.
  virtual void after_commit(std::function<void()> action) = 0;
  /// Wakes the subscribers of `channel` (see `Backend::subscribe`) once the transaction has committed; at most once per
  /// channel.
  virtual void notify(std::string_view channel) = 0;

 private:
  Actor actor_;
};

}  // namespace quarry::sql
