#include "sql/postgres/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/log.hpp"
#include "sql/postgres/bulk_insert.hpp"
#include "sql/postgres/copy.hpp"
#include "sql/postgres/error_map.hpp"
#include "sql/postgres/listener.hpp"
#include "sql/postgres/simple_result.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto client_grace = 2s;  ///< the server's own statement timeout comes first, and says more
constexpr auto rollback_wait = 5s;
constexpr auto rollback_wait_min = 50ms;   ///< also when the closure's time is over: a new connection costs more
constexpr std::size_t copy_rows_min = 48;  ///< COPY takes two round trips, unnest one

/// Time for the answer of a statement that is cancelled: a quarter of what there is, and no more than this.
constexpr std::chrono::milliseconds cancel_lead_max{250};

Deadline::duration lead_before(Deadline end) {
  if (end == Deadline::max()) return {};
  return std::clamp<Deadline::duration>((end - steady_clock::now()) / 4, 0ms, cancel_lead_max);
}

/// The transaction was begun for writing, but the server accepts none: it has become a replica, or always was one.
Error not_writable(const Error& error) {
  Error made(ErrorCode::unavailable,
             "the database server accepts no writes, it is a replica or read-only: name the primary in the URL, or all "
             "servers with "
             "target_session_attrs=read-write",
             {error.engine_message(), error.sqlstate(), 0});
  made.set_retryable(true).set_poisons_connection(true);
  return made;
}

Error deadline_passed() { return Error(ErrorCode::timeout, "the deadline of the transaction has passed"); }

std::string savepoint_name(std::size_t depth) { return fmt::format("q{}", depth); }

}  // namespace

PostgresSession::PostgresSession(const Backend& backend, Link& link, TransactionPlan plan, LinkPool::Lease* lease)
    : backend_(backend),
      lease_(lease),
      link_(link),
      connection_(*link.connection),
      pipeline_(link.pipeline),
      plan_(std::move(plan)),
      lead_(lead_before(plan_.end)) {
  connection_.answer_by(plan_.end);
  if (!plan_.begin.empty()) pipeline_.defer(plan_.begin);
  if (!plan_.setup.empty()) pipeline_.defer(plan_.setup);
}

Deadline PostgresSession::statement_deadline() const {
  const auto now = steady_clock::now();
  if (plan_.end != Deadline::max() && now >= plan_.end - lead_) throw deadline_passed();
  const auto limit = backend_.options().statement_timeout;
  if (plan_.begin.empty()) return plan_.end;
  return std::min(plan_.end - lead_, now + limit + client_grace);
}

Deadline PostgresSession::commit_deadline() const {
  const auto now = steady_clock::now();
  if (now >= plan_.end) throw deadline_passed();
  return std::min(plan_.end, now + backend_.options().statement_timeout + client_grace);
}

template <class F>
decltype(auto) PostgresSession::guarded(std::string_view name, F&& body) {
  if (failure_) throw Error(*failure_);
  if (lease_ && !name.empty()) lease_->note(name);
  touched_ = true;
  try {
    return body();
  } catch (Error& error) {
    remember(error);
    throw;
  }
}

void PostgresSession::remember(Error& error) {
  if (plan_.writes && error.sqlstate() == "25006") error = not_writable(error);
  if (connection_.broken()) error.set_poisons_connection(true);
  // A parameter that cannot be sent, for one, leaves the transaction as it was.
  const bool lost = begun() && connection_.transaction_status() != PQTRANS_INTRANS;
  if (error.poisons_connection() || lost) failure_ = error;
}

bool PostgresSession::begun() const { return !plan_.begin.empty() && !pipeline_.is_deferred(plan_.begin); }

Reply PostgresSession::round_trip(std::string_view text, Pipeline::Text kind, const ParamList& params) {
  const Deadline deadline = statement_deadline();
  pipeline_.send(text, kind, params);
  pipeline_.end_segment();
  Reply reply = pipeline_.read(deadline);
  pipeline_.read_end(deadline);
  return reply;
}

Cursor& PostgresSession::execute(const Statement& statement, std::span<const Param> params) {
  return guarded(statement.name, [&]() -> Cursor& {
    params_.assign(params);
    Reply reply =
        round_trip(statement.postgres, statement.is_static ? Pipeline::Text::fixed : Pipeline::Text::dynamic, params_);
    auto idle = std::find_if(cursors_.begin(), cursors_.end(), [](const ResultCursor& c) { return !c.is_open(); });
    ResultCursor& cursor = idle != cursors_.end() ? *idle : cursors_.emplace_back();
    cursor.open(std::move(reply));
    return cursor;
  });
}

Cursor& PostgresSession::stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) {
  return guarded(statement.name, [&]() -> Cursor& {
    const Deadline deadline = statement_deadline();
    params_.assign(params);
    chunk_rows = std::max<std::size_t>(chunk_rows, 1);
    const std::string cursor = fmt::format("q_stream_{}", ++streams_opened_);
    pipeline_.send(fmt::format("declare {} no scroll cursor for {}", cursor, statement.postgres), Pipeline::Text::once,
                   params_);
    pipeline_.send(fmt::format("fetch forward {} from {}", chunk_rows, cursor), Pipeline::Text::once, {});
    pipeline_.end_segment();
    pipeline_.read(deadline);
    Reply first = pipeline_.read(deadline);
    pipeline_.read_end(deadline);
    auto idle = std::find_if(streams_.begin(), streams_.end(), [](const StreamCursor& c) { return !c.is_open(); });
    StreamCursor& made = idle != streams_.end() ? *idle : streams_.emplace_back(*this);
    made.open_stream(cursor, statement.name, chunk_rows, std::move(first.result));
    return made;
  });
}

ResultPtr PostgresSession::fetch(const std::string& cursor, std::size_t rows) {
  return guarded("", [&] {
    return round_trip(fmt::format("fetch forward {} from {}", rows, cursor), Pipeline::Text::once, {}).result;
  });
}

void PostgresSession::close_cursor(const std::string& cursor) noexcept {
  if (!failure_) pipeline_.defer("close " + cursor);
}

std::int64_t PostgresSession::execute_each(const Statement& statement, std::size_t param_count, const RowSource& rows) {
  if (rows.size() == 0) return 0;
  return guarded(statement.name, [&] {
    return run_each(link_, statement.postgres, statement.is_static ? Pipeline::Text::fixed : Pipeline::Text::dynamic,
                    param_count, rows, statement_deadline());
  });
}

std::vector<Reply> PostgresSession::exchange(std::span<PipelineItem> items) {
  const Deadline deadline = statement_deadline();
  std::vector<ParamList> params(items.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    params[i].assign(items[i].params);  // all before anything is sent: this may throw
  for (std::size_t i = 0; i < items.size(); ++i)
    pipeline_.send(items[i].statement->postgres,
                   items[i].statement->is_static ? Pipeline::Text::fixed : Pipeline::Text::dynamic, params[i]);
  pipeline_.end_segment();
  pipeline_.flush(deadline);
  std::vector<Reply> replies;
  for (const PipelineItem& item : items) {
    try {
      replies.push_back(pipeline_.read(deadline));
    } catch (Error& error) {
      error.add_query(item.statement->name);
      throw;
    }
  }
  pipeline_.read_end(deadline);
  return replies;
}

void PostgresSession::pipeline(std::span<PipelineItem> items) {
  constexpr std::size_t segment_items = 256;
  for (; !items.empty(); items = items.subspan(std::min(items.size(), segment_items))) {
    const auto segment = items.first(std::min(items.size(), segment_items));
    // All answers are in before the first is looked at, so that a consumer may run statements of its own.
    auto replies = guarded(segment.front().statement->name, [&] { return exchange(segment); });
    for (std::size_t i = 0; i < segment.size(); ++i) {
      ResultCursor cursor;
      cursor.open(std::move(replies[i]));
      try {
        segment[i].consume(cursor);
      } catch (Error& error) {
        error.add_query(segment[i].statement->name);
        throw;
      }
    }
  }
}

std::int64_t PostgresSession::insert_all(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) {
  if (rows.size() == 0) return 0;
  return guarded(target.name, [&] { return choose_way(target, rows, on_conflict); });
}

std::int64_t PostgresSession::choose_way(const BulkTarget& target, const RowSource& rows, OnConflict on_conflict) {
  const Deadline deadline = statement_deadline();
  const auto [plan, fresh] = link_.bulk_plans.find(target, pipeline_, deadline);
  const int ending = on_conflict == OnConflict::nothing ? 1 : 0;
  try {
    // Plans belong to the connection, whose own role may copy where a tenant may not.
    if (on_conflict == OnConflict::fail && plan->copies && actor().sees_all() && rows.size() >= copy_rows_min)
      return copy_in(link_, *plan, rows, deadline);
    if (!plan->has_arrays) return insert_unnest(link_, *plan, rows, on_conflict, deadline);
    return run_each(link_, plan->insert_sql[ending], Pipeline::Text::dynamic, plan->columns.size(), rows, deadline);
  } catch (Error& error) {
    // The table may have changed since its plan was made: the closure then runs again with a new one.
    const bool outdated = error.sqlstate().starts_with("42") || error.sqlstate() == "22P03" || error.sqlstate() == "08P01";
    if (outdated) link_.bulk_plans.clear();
    if (outdated && !fresh) error.set_retryable(true);
    throw;
  }
}

void PostgresSession::run_script(std::string_view name, std::string_view sql) {
  guarded(name, [&] {
    const Deadline deadline = statement_deadline();
    link_.bulk_plans.clear();
    pipeline_.drain(deadline);
    const PipelinePause pause(connection_);
    const ResultPtr result = connection_.simple(pipeline_.take_deferred() + std::string(sql), deadline);
    check_simple(connection_, result.get(), PGRES_COMMAND_OK);
    if (!plan_.begin.empty() && connection_.transaction_status() != PQTRANS_INTRANS)
      throw_bug(
          fmt::format("the script '{}' ends the transaction that it runs in: take COMMIT and ROLLBACK out of it", name));
  });
}

void PostgresSession::act_as(const Actor& actor) {
  Session::act_as(actor);
  // Back to the system: the end of the transaction takes the role and the setting with it.
  if (actor.sees_all()) return;
  pipeline_.defer(fmt::format("select set_config('quarry.actor', '{}', true), set_config('role', 'quarry_tenant', true)",
                              to_string(*actor.user_id())));
}

void PostgresSession::savepoint() {
  savepoints_.push_back(actions_.size());
  pipeline_.defer("savepoint " + savepoint_name(savepoints_.size()));
}

void PostgresSession::release_savepoint() {
  const std::string name = savepoint_name(savepoints_.size());
  savepoints_.pop_back();
  // One that the server has not heard of need not be made; what waits behind it stays.
  if (!pipeline_.forget("savepoint " + name)) pipeline_.defer("release savepoint " + name);
}

void PostgresSession::rollback_savepoint() {
  const std::string name = savepoint_name(savepoints_.size());
  actions_.resize(savepoints_.back());
  savepoints_.pop_back();
  notified_.clear();  // what was announced inside is undone; announcing twice does no harm
  if (pipeline_.take_back("savepoint " + name)) return;
  pipeline_.drop_deferred();  // all of it came after the savepoint
  pipeline_.defer("rollback to savepoint " + name);
  pipeline_.defer("release savepoint " + name);
  // Without a transaction there is nothing to return to: then the failure stays, and nothing runs outside of one by mistake.
  if (failure_ && !connection_.broken() && connection_.transaction_status() != PQTRANS_IDLE) failure_.reset();
}

void PostgresSession::notify(std::string_view channel) {
  if (notified_.contains(channel)) return;
  notified_.emplace(channel);
  touched_ = true;
  pipeline_.defer("notify " + quote_channel(channel));
}

void PostgresSession::send_commit() {
  if (!connection_.looks_alive()) throw connection_lost("the server has closed the connection");
  const Deadline deadline = commit_deadline();
  try {
    pipeline_.send("commit", Pipeline::Text::fixed, {});
    pipeline_.end_segment();
    const Reply reply = pipeline_.read(deadline, Connection::OnDeadline::give_up);
    pipeline_.read_end(deadline, Connection::OnDeadline::give_up);
    if (std::string_view(PQcmdStatus(reply.result.get())) != "COMMIT")
      throw_bug("a statement failed and its error was swallowed: nothing was committed");
  } catch (Error& error) {
    if (!error.poisons_connection()) throw;
    Error unknown(
        ErrorCode::unavailable,
        "the connection to the database broke during COMMIT: the work may or may not have been done, look before you "
        "repeat it",
        {error.engine_message(), error.sqlstate(), error.native_code()});
    unknown.set_outcome_unknown(true).set_poisons_connection(true);
    throw unknown;
  }
}

void PostgresSession::commit() {
  if (failure_) throw Error(*failure_);
  if (!touched_) return pipeline_.drop_deferred();
  send_commit();
}

void PostgresSession::end_read() {
  if (failure_) throw Error(*failure_);
  pipeline_.drop_deferred();
  if (!touched_) return;
  pipeline_.defer("commit");
  pipeline_.end_segment_unattended();
}

void PostgresSession::rollback() noexcept {
  try {
    pipeline_.drop_deferred();
    if (connection_.broken()) return;
    const auto now = steady_clock::now();
    const Deadline deadline = std::clamp(plan_.end, now + rollback_wait_min, now + rollback_wait);
    pipeline_.drain(deadline, Connection::OnDeadline::give_up);
    if (connection_.transaction_status() == PQTRANS_IDLE) return;
    pipeline_.send("rollback", Pipeline::Text::fixed, {});
    pipeline_.end_segment();
    pipeline_.read(deadline, Connection::OnDeadline::give_up);
    pipeline_.read_end(deadline, Connection::OnDeadline::give_up);
  } catch (const std::exception& error) {
    connection_.mark_broken();
    log::debug("postgres: a connection is dropped because its transaction could not be rolled back: {}", error.what());
  }
}

bool PostgresSession::reusable() const noexcept {
  if (connection_.broken() || connection_.cancel_pending()) return false;
  return pipeline_.segments_unread() > 0 || connection_.transaction_status() == PQTRANS_IDLE;
}

}  // namespace quarry::sql::postgres_driver
