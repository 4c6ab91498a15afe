#pragma once
/// One connection: a libpq handle whose socket never blocks, with a deadline on every wait.
///
/// It lives in pipeline mode, so that the commands of one caller can go out together and be answered together; the simple
/// protocol and COPY leave that mode for a while (`PipelinePause`). When a deadline passes while the server works, the
/// statement is cancelled, and its answer, an error, is waited for a little longer: the connection stays usable. When that
/// does not come either, the connection is `broken`. Nothing waits longer than `answer_by` says.
///
/// Errors: `unavailable` (retryable, poisoning) when the connection is gone; `timeout` (poisoning) as above.
/// Not thread-safe. Survives a fork by being left alone in the child.

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "sql/postgres/conninfo.hpp"
#include "sql/postgres/handles.hpp"
#include "sql/postgres/param_list.hpp"

namespace quarry::sql::postgres_driver {

using Deadline = std::chrono::steady_clock::time_point;

class Connection {
 public:
  /// Connects, or throws an `unavailable` or `denied` that says where to and what to do.
  static std::unique_ptr<Connection> open(const ConnectSettings& settings, Deadline deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sending. Nothing waits for the server here; `flush` sees to it that all of it goes out.
  void send_prepare(const std::string& name, std::string_view text, const ParamList& params);
  void send_prepared(const std::string& name, const ParamList& params);
  void send_unprepared(std::string_view text, const ParamList& params);
  void send_sync();
  /// Waits until everything is on its way, and reads what comes meanwhile: without that, a server that cannot get rid of its
  /// answers would stop reading, and both sides would wait for ever.
  void flush(Deadline deadline);

  enum class OnDeadline { cancel, give_up };  ///< a COMMIT must not be cancelled: nobody would know what became of it
  /// The next result, or null at the end of a command's results.
  ResultPtr get_result(Deadline deadline, OnDeadline on_deadline = OnDeadline::cancel);

  /// Runs statements by the simple protocol and gives the last result, or the first that failed. Outside of pipeline mode.
  ResultPtr simple(const std::string& sql, Deadline deadline);
  /// One buffer of COPY data. Outside of pipeline mode.
  void put_copy_data(std::string_view bytes, Deadline deadline);
  /// Ends the COPY; with `failure` the server undoes it.
  void put_copy_end(const char* failure, Deadline deadline);

  void enter_pipeline();
  void leave_pipeline();

  /// Looks, without waiting, whether the server has closed the connection.
  bool looks_alive();
  /// Whoever uses the connection now has to have his answer by then, whatever the server does. Until the next call.
  void answer_by(Deadline end) noexcept {
    end_ = end;
    cancel_has_hit_ = false;
  }
  /// A cancel is under way whose effect has not been seen: it may hit whatever runs next.
  bool cancel_pending() const noexcept { return cancelled_; }
  /// The cancel has hit what it was meant for.
  void forget_cancel() noexcept;
  bool broken() const noexcept;
  void mark_broken() noexcept { broken_ = true; }
  PGTransactionStatusType transaction_status() const noexcept { return PQtransactionStatus(handle_); }
  PGconn* handle() const noexcept { return handle_; }
  /// `db.example.org:5432, database 'quarry', user 'ada'`
  std::string where() const;

 private:
  explicit Connection(PGconn* handle);
  /// Throws `invalid` for a database that cannot hold every text.
  void refuse_other_encodings() const;
  std::size_t finish_connecting(const ConnectSettings& settings, std::size_t first, Deadline deadline);
  static void receive_notice(void* self, const PGresult* notice);
  /// Waits for the socket. After the deadline: cancels and goes on, or throws.
  void wait(short events, Deadline deadline, OnDeadline on_deadline);
  void check_sent(int sent);
  void request_cancel();

  PGconn* handle_;
  const int pid_;
  bool broken_ = false;
  bool cancel_has_hit_ = false;
  bool cancelled_ = false;
  Deadline cancel_deadline_{};
  Deadline cancel_again_{};
  std::future<void> cancel_sent_;  ///< ready when the last request to cancel has been delivered
  Deadline end_ = Deadline::max();
};

/// Pipeline mode is off while this lives. Nothing may be unread before or after.
class PipelinePause {
 public:
  explicit PipelinePause(Connection& connection) : connection_(connection) { connection_.leave_pipeline(); }
  ~PipelinePause() {
    if (!connection_.broken()) connection_.enter_pipeline();
  }
  PipelinePause(const PipelinePause&) = delete;
  PipelinePause& operator=(const PipelinePause&) = delete;

 private:
  Connection& connection_;
};

}  // namespace quarry::sql::postgres_driver
