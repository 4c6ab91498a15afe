#pragma once
/// Statements of one caller, on their way together: what has been sent, and whose answer is whose.
///
/// Commands go out in segments, each ended by a sync: when one fails, the server skips the rest of its segment and goes on
/// after the sync. Only one transaction's commands are ever between two syncs, so that callers cannot fail each other.
///
/// Utilities (BEGIN, SAVEPOINT, NOTIFY, DEALLOCATE) are deferred: they go out in front of the next statement and cost no
/// round trip of their own. PREPARE travels in front of the first execution likewise.
///
/// Not thread-safe. A thrown `Error` leaves the pipeline empty (everything was read) or the connection broken.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/postgres/connection.hpp"
#include "sql/postgres/statement_cache.hpp"

namespace quarry::sql::postgres_driver {

/// A result, and the statement that it belongs to.
struct Reply {
  ResultPtr result;
  std::shared_ptr<Prepared> statement;
};

class Pipeline {
 public:
  /// `server_prepare`: whether statements may be kept at the server.
  Pipeline(Connection& connection, StatementCache& statements, bool server_prepare)
      : connection_(connection), statements_(statements), server_prepare_(server_prepare) {}

  /// A command without parameters or rows, to go out before the next statement.
  void defer(std::string utility) { deferred_.push_back(std::move(utility)); }
  /// Takes back what was deferred from `utility` on. False when it has gone out already.
  bool take_back(std::string_view utility);
  /// Takes back `utility` alone.
  bool forget(std::string_view utility);
  void drop_deferred() { deferred_.clear(); }
  bool is_deferred(std::string_view utility) const;
  /// For the simple protocol: what is deferred, as text to put in front.
  std::string take_deferred();

  enum class Text {
    fixed,    ///< static storage: prepared, and found again by its address
    dynamic,  ///< prepared, and found again by its content
    once,     ///< not worth preparing
  };
  /// Queues a statement whose result will be wanted.
  void send(std::string_view text, Text kind, const ParamList& params);
  /// The statement that was sent last, with other values of the same types: saves the look-up where there are many.
  void send_again(std::string_view text, Text kind, const ParamList& params);
  /// Ends the segment. Nothing is waited for, and not all of it may be on its way: `flush` or a `read` sees to that.
  void end_segment();
  /// Ends a segment of deferred commands whose answers nobody waits for: they are read, and thrown away, before the next
  /// reply.
  void end_segment_unattended();
  void flush(Deadline deadline) { connection_.flush(deadline); }

  /// The result of the next statement sent. Throws its `Error` when it or something in front of it failed.
  Reply read(Deadline deadline, Connection::OnDeadline on_deadline = Connection::OnDeadline::cancel);
  /// Reads to the end of the oldest segment; statements' results in it are thrown away, failures are not.
  void read_end(Deadline deadline, Connection::OnDeadline on_deadline = Connection::OnDeadline::cancel);
  /// Reads everything and throws away failures too, but for a broken connection's.
  void drain(Deadline deadline, Connection::OnDeadline on_deadline = Connection::OnDeadline::cancel);

  std::size_t segments_unread() const noexcept { return segments_unread_; }

 private:
  struct Expected {
    enum class What : std::uint8_t { prepare, utility, statement, sync } what;
    bool attended = true;
    std::shared_ptr<Prepared> statement;
  };

  void send_utility(const std::string& utility, bool attended);
  void send_deferred(bool attended);
  void send_garbage();
  /// The outcome of one expected thing.
  ResultPtr receive(const Expected& expected, Deadline deadline, Connection::OnDeadline on_deadline);
  void settle(const Expected& expected, const PGresult* result);
  /// Reads what is left of the failed statement's segment and of later ones, then throws.
  [[noreturn]] void fail(ResultPtr result, Deadline deadline);

  Connection& connection_;
  StatementCache& statements_;
  const bool server_prepare_;
  std::shared_ptr<Prepared> last_;  ///< what was sent last, if it is kept at the server
  std::vector<std::string> deferred_;
  std::deque<Expected> expected_;
  std::size_t segments_unread_ = 0;
  ParamList no_params_;
};

}  // namespace quarry::sql::postgres_driver
