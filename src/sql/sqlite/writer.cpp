#include "sql/sqlite/writer.hpp"

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "sql/nesting.hpp"
#include "sql/sqlite/error_map.hpp"
#include "sql/sqlite/session.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

/// WAL pages between checkpoints: 16 MiB of 4 KiB pages. Pages that change again and again are then copied once, not often.
constexpr int pages_between_checkpoints = 4096;
/// From here on a checkpoint waits for readers to let go of the WAL, so that it can start over: 256 MiB.
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

}  // namespace

Writer::Writer(const Location& location, const DatabaseOptions& options, const Clock& clock, const void* backend,
               std::function<void(const std::string&)> notify)
    : connection_(location, Role::writer, options),
      gate_(location.in_memory || options.read_only ? std::string{} : location.path + "-gate"),
      options_(options),
      clock_(clock),
      backend_(backend),
      notify_(std::move(notify)) {}

Writer::~Writer() {
  // Leave a small WAL behind. Failing is harmless: the next one to open reads the WAL.
  try {
    const Passage passage(gate_, std::chrono::steady_clock::now() + std::chrono::milliseconds{insist_ms});
    if (connection_.wal_pages() > 0) sqlite3_wal_checkpoint_v2(connection_.native(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  } catch (const Error& error) {
    log::debug("no checkpoint at close: {}", error.client_message());
  }
}

std::chrono::steady_clock::time_point Writer::deadline() const {
  return std::chrono::steady_clock::now() + options_.busy_timeout;
}

void Writer::commit_batch(std::span<PendingWrite* const> batch) {
  std::exception_ptr failure;
  Actions actions;
  auto apart = batch.size() == 1 || careful_batches_ == 0 ? Apart::no : Apart::by_savepoints;
  if (apart == Apart::by_savepoints) --careful_batches_;
  bool committed = try_batch(batch, apart, actions, failure);
  if (!committed && batch.size() > 1 && apart == Apart::no) {
    careful_batches_ = careful_after_failure;
    for (auto* member : batch) member->failure = nullptr;
    committed = try_batch(batch, Apart::by_savepoints, actions, failure);
  }
  if (committed) {
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
  if (batch.size() == 1) {
    if (!batch[0]->failure) batch[0]->failure = failure;
    return;
  }
  for (auto* member : batch) {
    member->failure = nullptr;
    commit_batch({&member, 1});
  }
}

bool Writer::try_batch(std::span<PendingWrite* const> batch, Apart apart, Actions& actions, std::exception_ptr& failure) {
  try {
    const Passage passage(gate_, batch.size() == 1 ? std::min(deadline(), batch[0]->deadline) : deadline());
    const InTransaction inside(backend_);
    connection_.execute_control("begin immediate", "begin a write");
    try {
      SqliteSession session(connection_, clock_, *options_.random, notify_);
      Write tx(session);
      for (auto* member : batch) {
        run_member(*member, tx, apart);
        if (connection_.in_autocommit() || (member->failure && apart == Apart::no)) {
          failure = member->failure;
          roll_back(connection_);
          return false;
        }
      }
      connection_.set_deadline(std::chrono::steady_clock::time_point::max());
      connection_.execute_control("commit", "commit");
      actions = session.take_after_commit();
    } catch (...) {
      roll_back(connection_);
      throw;
    }
    commits_.fetch_add(1, std::memory_order_relaxed);
    for (const auto* member : batch)
      if (!member->failure) writes_.fetch_add(1, std::memory_order_relaxed);
    checkpoint_if_due();
    return true;
  } catch (...) {
    failure = std::current_exception();
    return false;
  }
}

void Writer::run_member(PendingWrite& member, Write& tx, Apart apart) {
  connection_.set_deadline(std::min(std::chrono::steady_clock::now() + options_.statement_timeout, member.deadline));
  try {
    if (apart == Apart::by_savepoints) tx.attempt([&] { member.body(tx); });
    else member.body(tx);
  } catch (...) {
    member.failure = std::current_exception();
  }
}

void Writer::checkpoint_if_due() {
  const int pages = connection_.wal_pages();
  if (pages < pages_at_last_checkpoint_) pages_at_last_checkpoint_ = 0;  // the WAL has started over
  if (pages - pages_at_last_checkpoint_ < pages_between_checkpoints) return;
  const bool insist = pages > pages_before_insisting;
  sqlite3_busy_timeout(connection_.native(), insist ? insist_ms : 0);
  const int code = sqlite3_wal_checkpoint_v2(connection_.native(), nullptr,
                                             insist ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  sqlite3_busy_timeout(connection_.native(), static_cast<int>(options_.busy_timeout.count()));
  // The data is safe in the WAL; a checkpoint that cannot finish now is tried again after as many pages.
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    log::warn("a checkpoint failed: {}", make_error(connection_.native(), code, "write the WAL back").client_message());
  pages_at_last_checkpoint_ = pages;
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
  connection_.execute(std::string(sql).c_str(), "run a statement outside a transaction");
}

}  // namespace quarry::sql::sqlite_driver
