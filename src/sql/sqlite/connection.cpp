#include "sql/sqlite/connection.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <thread>

#include "quarry/core/error.hpp"
#include "sql/sqlite/error_map.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

/// Instructions of SQLite's machine between two looks at the clock: about a millisecond of work.
constexpr int instructions_between_checks = 50'000;

/// Between two attempts to get a lock that another process holds: short first, since a commit takes a fraction of a
/// millisecond.
constexpr std::chrono::microseconds first_nap{100};
constexpr std::chrono::milliseconds longest_nap{10};

/// Control statements are a handful (BEGIN, COMMIT, savepoints).
constexpr std::size_t control_statements_max = 64;

/// Page caches, in KiB, negative as SQLite wants it. The writer's holds the upper levels of a queue of a million tasks.
constexpr int writer_cache_kib = 65'536;
constexpr int reader_cache_kib = 16'384;

void refuse_missing_directory(const std::string& path) {
  const auto directory = fs::path(path).parent_path();
  std::error_code ignored;
  if (directory.empty() || fs::is_directory(directory, ignored)) return;
  throw Error(ErrorCode::unavailable,
              fs::exists(directory, ignored)
                  ? fmt::format("'{}' is no directory: name another path", directory.string())
                  : fmt::format("the directory '{0}' does not exist: make it first (mkdir -p '{0}')", directory.string()));
}

/// A device, a pipe or a folder: some would hang whoever opens them, and beside others a journal would be left.
void refuse_what_is_no_file(const std::string& path) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status)) return;
  throw Error(ErrorCode::invalid, fmt::format("'{}' is no file, so it cannot be a database: name another path", path));
}

/// Whether a writer was killed in a transaction of the old kind, before the file was switched to WAL, and nobody has rolled
/// it back.
bool needs_rollback(sqlite3* db) {
  sqlite3_extended_result_codes(db, 1);
  return sqlite3_exec(db, "select count(*) from sqlite_schema", nullptr, nullptr, nullptr) == SQLITE_READONLY_ROLLBACK;
}

/// Whether the file has been replaced since it was opened, as a restore does. What we wrote then would go into a log beside
/// the new file that belongs to the old one. From the first read on, in WAL mode, our lock keeps a restore away.
bool has_moved(sqlite3* db) {
  int moved = 0;
  return sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

constexpr int reopens_max = 10;

}  // namespace

Connection::Connection(const Location& location, Role role, const DatabaseOptions& options, SteadyClock::time_point deadline)
    : deadline_(deadline), busy_timeout_(options.busy_timeout) {
  try {
    for (int tries = 0;; ++tries) {
      open(location, role, options);
      configure(location, role, options);
      if (!has_moved(db_)) return;
      if (tries == reopens_max)
        throw Error(ErrorCode::busy, fmt::format("'{}' is replaced again and again: try later", location.path));
      close();
    }
  } catch (...) {
    close();
    throw;
  }
}

Connection::~Connection() { close(); }

void Connection::close() noexcept {
  statements_.reset();
  controls_.reset();
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

void Connection::open(const Location& location, Role role, const DatabaseOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX;
  const bool writes = role == Role::writer && !options.read_only;
  flags |= writes || location.in_memory ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (location.in_memory) {
    flags |= SQLITE_OPEN_MEMORY | SQLITE_OPEN_CREATE;
  } else {
    refuse_missing_directory(location.path);
    refuse_what_is_no_file(location.path);
    std::error_code ignored;
    if (writes && options.create)
      flags |= SQLITE_OPEN_CREATE;
    else if (!fs::exists(location.path, ignored))
      throw Error(ErrorCode::unavailable,
                  fmt::format("there is no database at '{}': `quarry init` makes one", location.path));
  }
  const char* const name = location.in_memory ? ":memory:" : location.path.c_str();
  int code = sqlite3_open_v2(name, &db_, flags, nullptr);
  if (code == SQLITE_OK && (flags & SQLITE_OPEN_READONLY) != 0 && needs_rollback(db_)) {
    // It takes a connection that may write; `query_only` keeps it from anything else.
    sqlite3_close_v2(db_);
    code = sqlite3_open_v2(name, &db_, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, nullptr);
  }
  if (code != SQLITE_OK) throw make_error(db_, code, fmt::format("open '{}'", location.path));
  sqlite3_extended_result_codes(db_, 1);
  statements_ = std::make_unique<StatementCache>(db_, options.statement_cache_max);
  controls_ = std::make_unique<StatementCache>(db_, control_statements_max);
}

void Connection::configure(const Location& location, Role role, const DatabaseOptions& options) {
  const auto doing = fmt::format("open '{}'", location.path);
  wait_by_deadline();
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_progress_handler(
      db_, instructions_between_checks,
      [](void* self) { return SteadyClock::now() > static_cast<Connection*>(self)->deadline_ ? 1 : 0; }, this);
  sqlite3_wal_hook(
      db_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Connection*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);

  const bool writer = role == Role::writer && !options.read_only;
  if (writer && !location.in_memory) {
    // Both are ignored once the first page is written or WAL is on (defect CI-3 of the systems before).
    execute("pragma page_size = 4096", doing.c_str());
    execute("pragma auto_vacuum = incremental", doing.c_str());
    switch_to_wal(doing.c_str());
    execute(options.synchronous == Synchronous::full ? "pragma synchronous = full" : "pragma synchronous = normal",
            doing.c_str());
    execute("pragma journal_size_limit = 67108864", doing.c_str());
    // Debian builds SQLite to overwrite everything it frees, which doubles the work of a queue. Erasing for good is a matter
    // of its own.
    execute("pragma secure_delete = off", doing.c_str());
  }
  // Reads the file's header: what is no database is found out here and not in the first query.
  execute("pragma foreign_keys = on", doing.c_str());
  execute("select count(*) from sqlite_schema", doing.c_str());
  execute("pragma temp_store = memory", doing.c_str());
  execute(fmt::format("pragma cache_size = -{}", writer ? writer_cache_kib : reader_cache_kib).c_str(), doing.c_str());
  if (!writer) execute("pragma query_only = on", doing.c_str());
  // Only from here on, because a hook replaces the automatic checkpoint and the other way round.
  execute("pragma mmap_size = 0", doing.c_str());
}

void Connection::wait_by_deadline() noexcept {
  sqlite3_busy_handler(
      db_, [](void* self, int naps) { return static_cast<Connection*>(self)->wait_for_others(naps) ? 1 : 0; }, this);
}

/// SQLite's own handler (`sqlite3_busy_timeout`) knows a duration and no deadline.
bool Connection::wait_for_others(int naps) noexcept {
  const auto now = SteadyClock::now();
  if (naps == 0) busy_until_ = std::min(now + busy_timeout_, deadline_);
  if (now >= busy_until_) return false;
  const auto nap = std::min<SteadyClock::duration>(longest_nap, first_nap * (naps + 1));
  std::this_thread::sleep_for(std::min<SteadyClock::duration>(nap, busy_until_ - now));
  return true;
}

void Connection::switch_to_wal(const char* doing) {
  // Two that switch at once would wait for each other, so SQLite lets one of them fail without asking the busy handler.
  for (int naps = 0;; ++naps) {
    const int code = sqlite3_exec(db_, "pragma journal_mode = wal", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    if ((code & 0xff) != SQLITE_BUSY || !wait_for_others(naps)) throw make_error(db_, code, doing);
  }
}

PreparedStatement& Connection::prepare(const Statement& statement) {
  return statements_->get(statement.sqlite, statement.is_static);
}

void Connection::execute(const char* sql, const char* doing) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw make_error(db_, code, doing);
}

void Connection::run_control(PreparedStatement& statement, const char* doing) {
  const int code = statement.run_to_end();
  if (code != SQLITE_DONE) throw make_error(db_, code, doing);
}

void Connection::execute_control(const std::string& sql, const char* doing) {
  run_control(controls_->get(sql, false), doing);
}

void Connection::execute_control(const char* literal, const char* doing) {
  run_control(controls_->get(literal, true), doing);
}

PreparedStatement& Connection::control(const char* literal) {
  auto& statement = controls_->get(literal, true);
  statement.start({}, PreparedStatement::Lifetime::outlives);
  return statement;
}

}  // namespace quarry::sql::sqlite_driver
