#pragma once
/// The way in: a handle to one database, and the closures that run in its transactions.
///
///     auto db = quarry::Database::open("sqlite:data/quarry.db");
///     auto page = db.read([&](quarry::Read& tx) { return tx.one(find_page, url); });
///     db.write([&](quarry::Write& tx) { tx.run(insert_page, page); });
///
/// URLs: `sqlite:relative.db`, `sqlite:/absolute.db`, `sqlite::memory:` (private to the handle), and `postgresql://...` or
/// `postgres://...`, which libpq reads whole: several hosts and every option of its manual pass through.
///
/// A write closure may run more than once (40001, 40P01, SQLITE_BUSY) and, on SQLite, on another caller's thread (writes of
/// several threads share one commit): it must have no effect outside the transaction but through its return value and
/// `Write::after_commit`. It commits when it returns and rolls back when it throws.
///
/// Errors: `invalid` (URL), `unavailable` (file, directory, server), `busy` (too many waiters), `bug` (a transaction opened
/// inside another one on the same thread: that is refused instead of deadlocking), `timeout`. A commit whose connection
/// broke is `unavailable` with `outcome_unknown()` and is not repeated.
///
/// Thread safety: a `Database` may be used from any number of threads. It is a cheap handle; copies share one pool, and the
/// last one closes it. After `fork` a handle must not be used in the child (it says so).

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "quarry/sql/function_ref.hpp"
#include "quarry/sql/options.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry {

namespace sql {
class Backend;
}

/// Figures of the pool and of group commit since the handle was opened.
struct DatabaseStats {
  std::size_t connections = 0;       ///< open now
  std::size_t connections_idle = 0;  ///< of them, idle
  std::size_t waiters = 0;           ///< callers waiting now
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;   ///< closures that were committed
  std::uint64_t commits = 0;  ///< durable commits; fewer than `writes` where commits are shared
  std::uint64_t retries = 0;
};

class Database {
 public:
  /// Opens a database by its URL. Throws `invalid` for a URL that cannot be read, `unavailable` and `timeout`.
  static Database open(std::string_view url, DatabaseOptions options = {});
  /// The URL as people may see it, without the password that may be in it. Opens nothing. Throws `invalid` as `open` does.
  static std::string shown_url(std::string_view url);

  /// Runs `body` in a reading transaction, again as the page says, and returns what it returned.
  template <std::invocable<Read&> F>
  std::invoke_result_t<F&, Read&> read(F&& body) const {
    return read(ReadOptions{}, std::forward<F>(body));
  }
  /// The same with options.
  template <std::invocable<Read&> F>
  std::invoke_result_t<F&, Read&> read(const ReadOptions& options, F&& body) const {
    return with_result<std::invoke_result_t<F&, Read&>, Read>(
        body, [&](sql::FunctionRef<void(Read&)> run) { run_read(options, run); });
  }
  /// Runs `body` in a writing transaction, again as the page says, and returns what it returned once that is durable.
  template <std::invocable<Write&> F>
  std::invoke_result_t<F&, Write&> write(F&& body) const {
    return write(WriteOptions{}, std::forward<F>(body));
  }
  /// The same with options.
  template <std::invocable<Write&> F>
  std::invoke_result_t<F&, Write&> write(const WriteOptions& options, F&& body) const {
    return with_result<std::invoke_result_t<F&, Write&>, Write>(
        body, [&](sql::FunctionRef<void(Write&)> run) { run_write(options, run); });
  }

  /// Throws `bug` when the calling thread is inside a transaction of this handle: for whoever waits for other threads'
  /// calls, which may need the connection that it holds.
  void refuse_inside_transaction() const;

  Engine engine() const noexcept;
  /// What connections, transactions and waits came to so far.
  DatabaseStats stats() const;
  /// The clock that `tx.now()` reads, server offset included.
  Instant now() const;
  Random& random() const noexcept;
  /// The URL without its password, for messages.
  const std::string& display_url() const noexcept;
  sql::Backend& backend() const noexcept { return *backend_; }

 private:
  explicit Database(std::shared_ptr<sql::Backend> backend) : backend_(std::move(backend)) {}

  template <class R, class Tx, class F, class Run>
  static R with_result(F& body, Run run) {
    if constexpr (std::is_void_v<R>) {
      auto call = [&](Tx& tx) { body(tx); };
      run(sql::FunctionRef<void(Tx&)>(call));
    } else {
      std::optional<R> result;
      auto call = [&](Tx& tx) { result.emplace(body(tx)); };
      run(sql::FunctionRef<void(Tx&)>(call));
      return *std::move(result);
    }
  }
  void run_read(const ReadOptions& options, sql::FunctionRef<void(Read&)> body) const;
  void run_write(const WriteOptions& options, sql::FunctionRef<void(Write&)> body) const;

  std::shared_ptr<sql::Backend> backend_;
};

}  // namespace quarry
