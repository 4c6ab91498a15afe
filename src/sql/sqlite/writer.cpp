#include "sql/sqlite/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "sql/nesting.hpp"
#include "sql/sqlite/error_map.hpp"
#include "sql/sqlite/session.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

/// WAL pages between checkpoints: 16 MiB of 4 KiB pages. Pages that change again and again are then copied once, not often.
constexpr int pages_between_checkpoints = 4096;
/// From here on a checkpoint waits for readers to let go of the WAL, so that it can start over: 256 MiB. When they do not,
/// the next one waits when the WAL is twice as long.
constexpr int pages_before_insisting = 65'536;
constexpr int insist_ms = 100;
/// Where writes fail now and then, each failure would make a batch run twice.
constexpr int careful_after_failure = 64;

void roll_back(Connection& connection) noexcept {
  if (connection.in_autocommit()) return;
  try {
    connection.execute_control("rollback", "roll back");
  } catch (const Error& error) {
    // The next BEGIN will report what is wrong; here somebody else's exception is under way.
    log::error("a rollback failed: {}", error.client_message());
  }
}

Error outcome_unknown(const std::exception_ptr& failure) {
  EngineDetail detail;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    detail = {error.engine_message(), {}, error.native_code()};
  }
  return Error(ErrorCode::unavailable,
               "the file system reported an error during COMMIT: the work may or may not have been done, look before you "
               "repeat it",
               std::move(detail))
      .set_outcome_unknown(true);
}

}  // namespace

Writer::Writer(const Location& location, const DatabaseOptions& options, const Clock& clock, const void* backend,
               Hooks hooks)
    : connection_(location, Role::writer, options),
      gate_(location.in_memory || options.read_only ? std::string{} : location.path + "-gate"),
      options_(options),
      clock_(clock),
      backend_(backend),
      hooks_(std::move(hooks)),
      insist_from_(pages_before_insisting) {}

Writer::~Writer() {
  hooks_.before_checkpoint();
  // Leave a small WAL behind. Failing is harmless: the next one to open reads the WAL.
  try {
    const Passage passage(gate_, std::chrono::steady_clock::now() + std::chrono::milliseconds{insist_ms});
    if (connection_.wal_pages() > 0)
      sqlite3_wal_checkpoint_v2(connection_.native(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  } catch (const Error& error) {
    log::debug("no checkpoint at close: {}", error.client_message());
  }
}

std::chrono::steady_clock::time_point Writer::deadline() const {
  return std::chrono::steady_clock::now() + options_.busy_timeout;
}

std::exception_ptr Writer::admit(const PendingWrite& leader) noexcept {
  try {
    gate_.enter(leader.turn_by);
    try {
      begin(leader.turn_by);
    } catch (...) {
      gate_.leave();
      throw;
    }
    begun_ = true;
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

void Writer::begin(std::chrono::steady_clock::time_point until) {
  connection_.set_deadline(until);
  connection_.execute_control("begin immediate", "begin a write");
  if (options_.synchronous == Synchronous::full) room_.provide(connection_.native(), connection_.wal_pages());
}

void Writer::commit_batch(std::span<PendingWrite* const> batch) {
  run_batch(batch);
  gate_.leave();
}

void Writer::run_batch(std::span<PendingWrite* const> batch) {
  std::exception_ptr failure;
  Actions actions;
  auto apart = batch.size() == 1 || careful_batches_ == 0 ? Apart::no : Apart::by_savepoints;
  if (apart == Apart::by_savepoints) --careful_batches_;
  auto outcome = try_batch(batch, apart, actions, failure);
  if (outcome == Outcome::undone && batch.size() > 1 && apart == Apart::no) {
    careful_batches_ = careful_after_failure;
    for (auto* member : batch) member->failure = nullptr;
    outcome = try_batch(batch, Apart::by_savepoints, actions, failure);
  }
  if (outcome == Outcome::committed) {
    // Here, because what goes wrong from now on must not look like a failure of the commit.
    checkpoint_if_due();
    for (auto& action : actions) {
      try {
        action();
      } catch (const std::exception& error) {
        // The work is committed: an exception here would tell the callers the opposite, and nobody would lead after us.
        log::error("an action after a commit failed: {}", error.what());
      }
    }
    return;
  }
  if (batch.size() == 1 || outcome == Outcome::unknown) {
    for (auto* member : batch)
      if (!member->failure) member->failure = failure;
    return;
  }
  for (auto* member : batch) {
    member->failure = nullptr;
    run_batch({&member, 1});
  }
}

Writer::Outcome Writer::try_batch(std::span<PendingWrite* const> batch, Apart apart, Actions& actions,
                                  std::exception_ptr& failure) {
  bool unknown = false;
  try {
    const InTransaction inside(backend_);
    if (!std::exchange(begun_, false)) begin(deadline());
    try {
      SqliteSession session(connection_, clock_, *options_.random, hooks_.notify);
      Write tx(session);
      for (auto* member : batch) {
        run_member(*member, tx, apart);
        if (connection_.in_autocommit() && !member->failure) member->failure = std::make_exception_ptr(transaction_ended());
        if (connection_.in_autocommit() || (member->failure && apart == Apart::no)) {
          failure = member->failure;
          roll_back(connection_);
          return Outcome::undone;
        }
      }
      commit(unknown);
      actions = session.take_after_commit();
    } catch (...) {
      roll_back(connection_);
      throw;
    }
    commits_.fetch_add(1, std::memory_order_relaxed);
    for (const auto* member : batch)
      if (!member->failure) writes_.fetch_add(1, std::memory_order_relaxed);
    return Outcome::committed;
  } catch (...) {
    failure = std::current_exception();
    if (!unknown || overwrite_failed_commit()) return Outcome::undone;
    failure = std::make_exception_ptr(outcome_unknown(failure));
    return Outcome::unknown;
  }
}

void Writer::commit(bool& unknown) {
  connection_.set_deadline(std::chrono::steady_clock::time_point::max());
  try {
    connection_.execute_control("commit", "commit");
  } catch (const Error& error) {
    // A full disk leaves the last frame unfinished, so that the log does not hold the transaction.
    unknown = error.code() == ErrorCode::unavailable && (error.native_code() & 0xff) != SQLITE_FULL;
    throw;
  }
}

/// A transaction whose COMMIT failed in the log's last sync is rolled back here, but stands in the log: whoever recovers the
/// database from it would find it. The next commit takes its place, so one is made at once, of a page that stays as it is.
/// If that is durable, the failed one has certainly not been done.
bool Writer::overwrite_failed_commit() noexcept {
  try {
    begin(deadline());
    std::int64_t version = 0;
    {
      const OpenCursor cursor(connection_.control("pragma user_version"));
      if (cursor->step()) version = cursor->get_int64(0);
    }
    connection_.execute(fmt::format("pragma user_version = {}", version).c_str(), "take a failed commit's place");
    connection_.execute_control("commit", "commit");
    return true;
  } catch (const std::exception& error) {
    log::error("a commit failed, and so did the one to take its place: {}", error.what());
    roll_back(connection_);
    return false;
  }
}

void Writer::run_member(PendingWrite& member, Write& tx, Apart apart) {
  const auto now = std::chrono::steady_clock::now();
  connection_.set_deadline(std::min(now + options_.statement_timeout, member.deadline));
  try {
    if (now >= member.deadline) throw Error(ErrorCode::timeout, "the deadline of the write has passed before its turn came");
    if (apart == Apart::by_savepoints)
      tx.attempt([&] { member.body(tx); });
    else
      member.body(tx);
  } catch (...) {
    member.failure = std::current_exception();
  }
}

void Writer::checkpoint_if_due() {
  const int pages = connection_.wal_pages();
  if (pages < pages_at_last_checkpoint_) {  // the WAL has started over
    pages_at_last_checkpoint_ = 0;
    insist_from_ = pages_before_insisting;
  }
  if (pages - pages_at_last_checkpoint_ < pages_between_checkpoints) return;
  hooks_.before_checkpoint();
  const bool insist = pages > insist_from_;
  connection_.set_busy_timeout(std::chrono::milliseconds{insist ? insist_ms : 0});
  const int code = sqlite3_wal_checkpoint_v2(
      connection_.native(), nullptr, insist ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  connection_.set_busy_timeout(options_.busy_timeout);
  // The data is safe in the WAL; a checkpoint that cannot finish now is tried again after as many pages.
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    log::warn("a checkpoint failed: {}", make_error(connection_.native(), code, "write the WAL back").client_message());
  pages_at_last_checkpoint_ = pages;
  // Somebody stays, such as a backup: asked again and again, all writers would wait for nothing.
  if (insist && code == SQLITE_BUSY) insist_from_ = std::min(pages, std::numeric_limits<int>::max() / 2) * 2;
}

void Writer::read(FunctionRef<void(Read&)> body) {
  const InTransaction inside(backend_);
  connection_.set_deadline(std::chrono::steady_clock::now() + options_.statement_timeout);
  connection_.execute_control("begin", "begin a read");
  try {
    SqliteSession session(connection_, clock_, *options_.random, {});
    Read tx(session);
    body(tx);
    connection_.execute_control("commit", "end a read");
  } catch (...) {
    roll_back(connection_);
    throw;
  }
}

void Writer::run_outside_transaction(std::string_view sql) {
  const Passage passage(gate_, deadline());
  connection_.set_deadline(std::chrono::steady_clock::time_point::max());
  const struct Restored {
    Connection& connection;
    ~Restored() { connection.wait_by_deadline(); }
  } restored{connection_};
  connection_.execute(std::string(sql).c_str(), "run a statement outside a transaction");
}

}  // namespace quarry::sql::sqlite_driver
