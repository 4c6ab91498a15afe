#include "sql/postgres/connection.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <system_error>
#include <thread>

#include "quarry/core/log.hpp"
#include "sql/postgres/error_map.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto cancel_grace = 5s;     ///< for the answer of a statement that was cancelled
constexpr auto cancel_pause = 250ms;  ///< a cancel that comes before its statement has no effect: hence again
constexpr auto cancel_delivery = 1s;  ///< for the request's own way, when the answer is there already

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

Error out_of_time() { return Error(ErrorCode::timeout, "the database did not answer in time").set_poisons_connection(true); }

}  // namespace

Connection::Connection(PGconn* handle) : handle_(handle), pid_(getpid()) {}

Connection::~Connection() {
  // In a forked child the socket belongs to the parent: saying goodbye on it would end the parent's session.
  if (handle_ && pid_ == getpid()) PQfinish(handle_);
}

bool Connection::broken() const noexcept { return broken_ || PQstatus(handle_) != CONNECTION_OK; }

void Connection::check_sent(int sent) {
  if (sent == 1) return;
  const std::string message = PQerrorMessage(handle_);
  const bool lost = broken();
  broken_ = true;
  if (lost) throw connection_lost(message);
  throw Error(ErrorCode::bug, "a statement could not be sent to the database", {message, "", 0})
      .set_poisons_connection(true);
}

void Connection::send_prepare(const std::string& name, std::string_view text, const ParamList& params) {
  const std::string query(text);
  check_sent(PQsendPrepare(handle_, name.c_str(), query.c_str(), params.count(), params.types().data()));
}

void Connection::send_prepared(const std::string& name, const ParamList& params) {
  check_sent(
      PQsendQueryPrepared(handle_, name.c_str(), params.count(), params.values(), params.lengths(), params.formats(), 1));
}

void Connection::send_unprepared(std::string_view text, const ParamList& params) {
  const std::string query(text);
  check_sent(PQsendQueryParams(handle_, query.c_str(), params.count(), params.types().data(), params.values(),
                               params.lengths(), params.formats(), 1));
}

void Connection::send_sync() { check_sent(PQpipelineSync(handle_)); }

void Connection::flush(Deadline deadline) {
  while (true) {
    const int pending = PQflush(handle_);
    if (pending == 0) return;
    if (pending < 0) check_sent(0);
    wait(POLLIN | POLLOUT, deadline, OnDeadline::cancel);
    if (!PQconsumeInput(handle_)) return;  // what the server said last is still to be read: `get_result` finds it
  }
}

void Connection::wait(short events, Deadline deadline, OnDeadline on_deadline) {
  while (true) {
    // What is left to be read behind a statement that was cancelled has the cancel's grace, and is not cancelled again.
    const Deadline until = cancelled_                                             ? std::min(cancel_again_, cancel_deadline_)
                           : cancel_has_hit_ && on_deadline == OnDeadline::cancel ? std::max(deadline, cancel_deadline_)
                                                                                  : deadline;
    pollfd entry{PQsocket(handle_), events, 0};
    const int ready = poll(&entry, 1, milliseconds_until(until));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) {
      broken_ = true;
      throw connection_lost(fmt::format("poll: errno {}", errno));
    }
    const Deadline now = steady_clock::now();
    if (ready < 0 || now < until) continue;
    if (on_deadline == OnDeadline::give_up || (cancelled_ && now >= cancel_deadline_)) {
      broken_ = true;
      throw out_of_time();
    }
    if (!cancelled_) cancel_deadline_ = std::min(now + cancel_grace, end_);
    cancelled_ = true;
    cancel_again_ = now + cancel_pause;
    request_cancel();
  }
}

/// `PQcancel` blocks for as long as the network does, so it gets a thread that nobody waits for. One at a time: a server
/// that hangs is not asked by ever more of them.
void Connection::request_cancel() {
  if (cancel_sent_.valid() && cancel_sent_.wait_for(0s) != std::future_status::ready) return;
  PGcancel* cancel = PQgetCancel(handle_);
  if (!cancel) return;
  std::promise<void> done;
  cancel_sent_ = done.get_future();
  try {
    std::thread([cancel, done = std::move(done)]() mutable {
      char message[256];
      PQcancel(cancel, message, sizeof message);
      PQfreeCancel(cancel);
      done.set_value();
    }).detach();
  } catch (const std::system_error& error) {
    // It is asked for again; if there is never a thread, the connection is given up at the end of its grace.
    PQfreeCancel(cancel);
    log::debug("postgres: no thread to cancel a statement: {}", error.what());
  }
}

void Connection::forget_cancel() noexcept {
  if (!cancelled_) return;
  // One that is still on its way would hit the next statement: then the connection stays suspect, and is not used again.
  const auto patience = std::min(steady_clock::now() + cancel_delivery, end_);
  cancelled_ = cancel_sent_.valid() && cancel_sent_.wait_until(patience) != std::future_status::ready;
  cancel_has_hit_ = !cancelled_;
}

ResultPtr Connection::get_result(Deadline deadline, OnDeadline on_deadline) {
  while (PQisBusy(handle_)) {
    const int pending = PQflush(handle_);
    if (pending < 0) break;
    wait(pending ? POLLIN | POLLOUT : POLLIN, deadline, on_deadline);
    if (!PQconsumeInput(handle_)) break;  // the last words of the server may be here already; PQgetResult knows
  }
  return ResultPtr(PQgetResult(handle_));
}

ResultPtr Connection::simple(const std::string& sql, Deadline deadline) {
  check_sent(PQsendQuery(handle_, sql.c_str()));
  flush(deadline);
  ResultPtr last;
  while (auto result = get_result(deadline)) {
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return result;
    if (!last || PQresultStatus(last.get()) != PGRES_FATAL_ERROR) last = std::move(result);
    if (broken()) break;
  }
  return last;
}

void Connection::put_copy_data(std::string_view bytes, Deadline deadline) {
  while (true) {
    const int sent = PQputCopyData(handle_, bytes.data(), static_cast<int>(bytes.size()));
    if (sent == 1) break;
    if (sent < 0) check_sent(0);
    wait(POLLIN | POLLOUT, deadline, OnDeadline::cancel);
    if (!PQconsumeInput(handle_)) check_sent(0);
  }
  flush(deadline);
}

void Connection::put_copy_end(const char* failure, Deadline deadline) {
  int sent = PQputCopyEnd(handle_, failure);
  while (sent == 0) {
    wait(POLLIN | POLLOUT, deadline, OnDeadline::cancel);
    sent = PQputCopyEnd(handle_, failure);
  }
  check_sent(sent);
  flush(deadline);
}

void Connection::enter_pipeline() { check_sent(PQenterPipelineMode(handle_)); }

void Connection::leave_pipeline() { check_sent(PQexitPipelineMode(handle_)); }

bool Connection::looks_alive() {
  while (!broken()) {
    pollfd entry{PQsocket(handle_), POLLIN, 0};
    const int ready = poll(&entry, 1, 0);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return true;
    // Something is there: an answer nobody waited for, a notice, the server's last words, the end.
    if (ready < 0 || !PQconsumeInput(handle_))
      broken_ = true;
    else
      PQisBusy(handle_);  // has libpq look at it; last words reach `receive_notice`
  }
  return false;
}

void Connection::receive_notice(void* self, const PGresult* notice) {
  // While nothing is asked of it, libpq takes even the server's last words for a notice.
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity && (std::string_view(severity) == "FATAL" || std::string_view(severity) == "PANIC"))
    static_cast<Connection*>(self)->broken_ = true;
  log::debug("postgres: {}", std::string_view(PQresultErrorMessage(notice)));
}

}  // namespace quarry::sql::postgres_driver
