#pragma once
/// One `sqlite3*`, opened with the settings that Quarry wants, and its prepared statements.
///
/// WAL with `wal_autocheckpoint=0` and no checkpoint on close: checkpoints are made by the writer alone, under the gate,
/// because 3.40.1 predates the fix of the WAL-reset bug (docs/decisions/0002). No mmap for the same reason. Not thread-safe;
/// a connection may move between threads.

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "quarry/sql/options.hpp"
#include "quarry/sql/query.hpp"
#include "sql/sqlite/statement.hpp"

namespace quarry::sql::sqlite_driver {

enum class Role { reader, writer };

/// Where the database is. `:memory:` is private to its one connection.
struct Location {
  std::string path;  ///< of a file, resolved: what lies beside it (`-gate`) must be the same for every spelling
  bool in_memory = false;
};

class Connection {
 public:
  /// Throws `unavailable` (directory, permissions) or `corrupt` (not a database), naming the file and the remedy.
  /// `busy` when another process holds it until the deadline, or for the whole busy timeout.
  Connection(const Location& location, Role role, const DatabaseOptions& options,
             std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* native() const noexcept { return db_; }

  /// The prepared statement for this text, from the cache. Throws `bug` when it is still in use.
  PreparedStatement& prepare(const Statement& statement);
  /// Runs SQL without parameters or rows.
  void execute(const char* sql, const char* doing);
  /// As `execute`, for BEGIN, COMMIT and their like, which come with every transaction: kept prepared, outside the cache's
  /// limit.
  void execute_control(const std::string& sql, const char* doing);
  /// The same for a string literal, which is recognised by its address.
  void execute_control(const char* literal, const char* doing);
  /// A statement of that kind, to be run by the caller.
  PreparedStatement& control(const char* literal);

  /// No statement runs longer than this; checked every few thousand instructions of SQLite's machine, and while it waits for
  /// another process.
  void set_deadline(std::chrono::steady_clock::time_point deadline) noexcept { deadline_ = deadline; }
  /// Waits for other processes by `set_busy_timeout` again, after SQL of somebody else's may have said `pragma
  /// busy_timeout`.
  void wait_by_deadline() noexcept;
  /// How long a statement waits for another process; never beyond the deadline.
  void set_busy_timeout(std::chrono::milliseconds timeout) noexcept { busy_timeout_ = timeout; }
  /// False inside BEGIN ... COMMIT. SQLite rolls back by itself on some errors (disk full, I/O), which shows here.
  bool in_autocommit() const noexcept { return sqlite3_get_autocommit(db_) != 0; }
  /// Pages in the WAL after this connection's last commit.
  int wal_pages() const noexcept { return wal_pages_; }
  void reset_wal_pages(int pages) noexcept { wal_pages_ = pages; }

 private:
  void run_control(PreparedStatement& statement, const char* doing);
  void open(const Location& location, Role role, const DatabaseOptions& options);
  void close() noexcept;
  /// For SQLite's busy handler: naps and says whether to try again.
  bool wait_for_others(int naps) noexcept;
  void switch_to_wal(const char* doing);
  void configure(const Location& location, Role role, const DatabaseOptions& options);

  sqlite3* db_ = nullptr;
  std::unique_ptr<StatementCache> statements_;
  std::unique_ptr<StatementCache> controls_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::milliseconds busy_timeout_;
  std::chrono::steady_clock::time_point busy_until_{};
  int wal_pages_ = 0;
};

}  // namespace quarry::sql::sqlite_driver
