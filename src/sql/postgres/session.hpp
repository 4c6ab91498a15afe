#pragma once
/// One transaction on a borrowed connection.
///
/// BEGIN waits for the first statement and travels with it; a closure without statements costs nothing. So do savepoints.
/// The COMMIT of a read is sent but not waited for: it cannot fail in a way that matters, and whoever borrows the connection
/// next reads the answer. A write's COMMIT is waited for.
///
/// Not thread-safe.

#include <chrono>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quarry/sql/backend.hpp"
#include "quarry/sql/session.hpp"
#include "sql/pool/pool.hpp"
#include "sql/postgres/link.hpp"
#include "sql/postgres/stream_cursor.hpp"

namespace quarry::sql::postgres_driver {

using LinkPool = Pool<Link>;

/// What a transaction is to be.
struct TransactionPlan {
  std::string begin;  ///< BEGIN with its modes; empty when the session's user begins and ends transactions by scripts
  std::string setup;  ///< limits for this transaction alone, where the server was not told at connect; or empty
  bool writes = false;
  Deadline end = Deadline::max();  ///< of the whole closure
};

class PostgresSession : public Session {
 public:
  /// `lease` is told which query runs; null for a connection that is not from the pool.
  PostgresSession(const Backend& backend, Link& link, TransactionPlan plan, LinkPool::Lease* lease);

  // How the transaction ends; exactly one of them is called.
  void commit();
  void end_read();
  void rollback() noexcept;

  /// The connection is in step and outside a transaction.
  bool reusable() const noexcept;
  std::vector<std::function<void()>> take_actions() { return std::move(actions_); }
  Engine engine() const noexcept override { return Engine::postgres; }
  Instant now() const override { return backend_.now(); }
  Random& random() const noexcept override { return backend_.random(); }
  Cursor& execute(const Statement& statement, std::span<const Param> params) override;
  Cursor& stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) override;
  std::int64_t execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) override;
  void pipeline(std::span<PipelineItem> items) override;
  std::int64_t insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) override;
  void run_script(std::string_view name, std::string_view sql) override;
  void act_as(const Actor& actor) override;
  void savepoint() override;
  void release_savepoint() override;
  void rollback_savepoint() override;
  void after_commit(std::function<void()> action) override { actions_.push_back(std::move(action)); }
  void notify(std::string_view channel) override;

 protected:
  Connection& connection() noexcept { return connection_; }

 private:
  friend class StreamCursor;

  ResultPtr fetch(const std::string& cursor, std::size_t rows);
  void close_cursor(const std::string& cursor) noexcept;
  /// When the next statement is cancelled. Throws `timeout` when that has passed.
  Deadline statement_deadline() const;
  /// When the COMMIT is given up. Throws `timeout` as long as none has been sent.
  Deadline commit_deadline() const;
  /// Runs `body`; remembers its error if the transaction is lost by it. After that every call throws the same error.
  template <class F>
  decltype(auto) guarded(std::string_view name, F&& body);
  void remember(Error& error);
  bool begun() const;
  Reply round_trip(std::string_view text, Pipeline::Text kind, const ParamList& params);
  std::vector<Reply> exchange(std::span<PipelineItem> items);
  std::int64_t choose_way(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict);
  void send_commit();

  const Backend& backend_;
  LinkPool::Lease* lease_;
  Link& link_;
  Connection& connection_;
  Pipeline& pipeline_;
  const TransactionPlan plan_;
  /// Statements are cancelled that long before the closure's end, so that the server's answer is there by then.
  const Deadline::duration lead_;
  ParamList params_;
  std::deque<ResultCursor> cursors_;  ///< reused; a deque keeps their addresses
  std::deque<StreamCursor> streams_;
  std::size_t streams_opened_ = 0;
  std::vector<std::size_t> savepoints_;  ///< actions that there were when each was opened
  bool touched_ = false;                 ///< there is something to commit
  std::optional<Error> failure_;
  std::set<std::string, std::less<>> notified_;
  std::vector<std::function<void()>> actions_;
};

}  // namespace quarry::sql::postgres_driver
