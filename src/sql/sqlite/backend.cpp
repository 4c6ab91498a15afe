/// SQLite behind a `Database`: one writer with group commit, a pool of query-only readers, a watcher.

#include "quarry/sql/backend.hpp"

#include <fmt/format.h>

#include <mutex>

#include "quarry/core/path.hpp"
#include "sql/nesting.hpp"
#include "sql/pool/work_pool.hpp"
#include "sql/sqlite/connection.hpp"
#include "sql/sqlite/dedicated.hpp"
#include "sql/sqlite/group_commit.hpp"
#include "sql/sqlite/readers.hpp"
#include "sql/sqlite/session.hpp"
#include "sql/sqlite/watcher.hpp"
#include "sql/sqlite/writer.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

using SteadyClock = std::chrono::steady_clock;

const std::shared_ptr<const Clock>& system_clock() {
  static const std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  return clock;
}

Location location_of(std::string_view path) {
  if (path == ":memory:") return {std::string(path), true};
  return {resolved_path(path).native(), false};
}

class SqliteBackend final : public Backend {
 public:
  SqliteBackend(std::string_view path, DatabaseOptions options)
      : location_(location_of(path)),
        display_url_(fmt::format("sqlite:{}", path)),
        options_(std::move(options)),
        clock_(options_.clock ? options_.clock : system_clock()),
        readers_(location_, options_),
        writer_(location_, options_, *clock_, this,
                {.notify = [this](const std::string& channel) { watcher_.notify(channel); },
                 .before_checkpoint = [this] { readers_.let_go(); }}),
        group_(
            options_.group_commit_max, [this](auto batch) { writer_.commit_batch(batch); },
            [this](const PendingWrite& leader) { return writer_.admit(leader); }),
        watcher_(location_, options_, [this] { return writer_.commits(); }),
        work_(options_.async_threads) {}

  Engine engine() const noexcept override { return Engine::sqlite; }
  void read(const ReadOptions& options, FunctionRef<void(Read&)> body) override;
  void write(const WriteOptions& options, FunctionRef<void(Write&)> body) override;
  DatabaseStats stats() const override;
  Instant now() const override { return clock_->now(); }
  Random& random() const noexcept override { return *options_.random; }
  const std::string& display_url() const noexcept override { return display_url_; }
  const DatabaseOptions& options() const noexcept override { return options_; }
  void run_outside_transaction(std::string_view name, std::string_view sql) override;
  using Backend::dedicated;
  std::unique_ptr<DedicatedSession> dedicated(std::optional<std::chrono::milliseconds> wait) override;
  std::unique_ptr<Subscription> subscribe(std::string_view channel, std::function<void()> wake) override {
    return watcher_.subscribe(channel, std::move(wake));
  }
  void post(std::function<void()> job) override { work_.post(std::move(job)); }

  bool is_of_this_process() const noexcept { return process_generation() == process_; }
  /// In a forked child: holds on to nothing that the parent's death should free.
  void leave_to_parent() noexcept { writer_.close_gate(); }

 private:
  void read_alone(FunctionRef<void(Read&)> body);
  void check_process() const;

  const Location location_;
  const std::string display_url_;
  const DatabaseOptions options_;
  const std::shared_ptr<const Clock> clock_;
  const unsigned process_ = process_generation();
  Readers readers_;
  Writer writer_;
  GroupCommit group_;
  Watcher watcher_;
  std::atomic<std::uint64_t> reads_{0};
  std::mutex memory_mutex_;  ///< an in-memory database has one connection for everybody
  WorkPool work_;            ///< last: its jobs use all of the above
};

void SqliteBackend::check_process() const {
  // A SQLite connection must not cross a fork: the locks of parent and child would cancel each other.
  if (!is_of_this_process()) throw_bug("this database was opened before fork(): open it again in the child process");
}

void SqliteBackend::read(const ReadOptions& options, FunctionRef<void(Read&)> body) {
  refuse_nested(this);
  check_process();
  reads_.fetch_add(1, std::memory_order_relaxed);
  if (location_.in_memory) return read_alone(body);
  const auto now = SteadyClock::now();
  const auto limit = options.deadline.count() > 0 ? options.deadline : options_.statement_timeout;
  auto lease = readers_.acquire(now, now + limit);
  const InTransaction inside(this);
  lease->connection().set_deadline(now + limit);
  try {
    const Readers::Moment moment(readers_, *lease, now);
    SqliteSession session(lease->connection(), *clock_, *options_.random, {});
    Read tx(session);
    body(tx);
  } catch (const Error& error) {
    if (error.poisons_connection()) lease.poison();
    throw;
  }
}

void SqliteBackend::read_alone(FunctionRef<void(Read&)> body) {
  const std::scoped_lock lock(memory_mutex_);
  writer_.read(body);
}

void SqliteBackend::write(const WriteOptions& options, FunctionRef<void(Write&)> body) {
  refuse_nested(this);
  check_process();
  if (options_.read_only) throw Error(ErrorCode::denied, "the database was opened for reading only");
  std::unique_lock<std::mutex> memory_lock(memory_mutex_, std::defer_lock);
  if (location_.in_memory) memory_lock.lock();
  PendingWrite write{.body = body, .alone = options.alone};
  const auto now = SteadyClock::now();
  if (options.deadline.count() > 0) write.deadline = now + options.deadline;
  group_.run(write, std::min(write.deadline, now + options_.busy_timeout));
}

void SqliteBackend::run_outside_transaction(std::string_view name, std::string_view sql) {
  refuse_nested(this);
  check_process();
  std::unique_lock<std::mutex> memory_lock(memory_mutex_, std::defer_lock);
  if (location_.in_memory) memory_lock.lock();
  auto action = [&] { writer_.run_outside_transaction(sql); };
  try {
    group_.run_exclusive(action);
  } catch (Error& error) {
    error.add_query(name);
    throw;
  }
}

std::unique_ptr<DedicatedSession> SqliteBackend::dedicated(std::optional<std::chrono::milliseconds> wait) {
  refuse_nested(this);
  check_process();
  if (options_.read_only) throw Error(ErrorCode::denied, "the database was opened for reading only");
  if (!location_.in_memory) {
    auto options = options_;
    if (wait) options.busy_timeout = *wait;
    return open_dedicated(location_, options, *clock_);
  }
  return borrow_dedicated(writer_.connection(), std::unique_lock(memory_mutex_), options_, *clock_);
}

DatabaseStats SqliteBackend::stats() const {
  const auto counts = readers_.counts();
  return {.connections = counts.open + 1,
          .connections_idle = counts.idle,
          .waiters = counts.waiters + group_.waiting(),
          .reads = reads_.load(std::memory_order_relaxed),
          .writes = writer_.writes(),
          .commits = writer_.commits(),
          .retries = 0};
}

}  // namespace
}  // namespace quarry::sql::sqlite_driver

namespace quarry::sql {

std::shared_ptr<Backend> open_sqlite(std::string_view path, DatabaseOptions options) {
  using sqlite_driver::SqliteBackend;
  // A forked child has neither the threads nor a right to the connections, whose end would take the parent's locks away
  // (sqlite.org/howtocorrupt.html, 2.6): there all of it stays as it is.
  return {new SqliteBackend(path, std::move(options)), [](SqliteBackend* backend) {
            if (backend->is_of_this_process())
              delete backend;
            else
              backend->leave_to_parent();
          }};
}

}  // namespace quarry::sql
