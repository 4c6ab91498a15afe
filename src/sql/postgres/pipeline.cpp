#include "sql/postgres/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "sql/postgres/error_map.hpp"

namespace quarry::sql::postgres_driver {
namespace {

bool failed(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED || status == PGRES_BAD_RESPONSE;
}

}  // namespace

bool Pipeline::take_back(std::string_view utility) {
  const auto found = std::find(deferred_.begin(), deferred_.end(), utility);
  if (found == deferred_.end()) return false;
  deferred_.erase(found, deferred_.end());
  return true;
}

bool Pipeline::forget(std::string_view utility) {
  const auto found = std::find(deferred_.begin(), deferred_.end(), utility);
  if (found == deferred_.end()) return false;
  deferred_.erase(found);
  return true;
}

bool Pipeline::is_deferred(std::string_view utility) const {
  return std::find(deferred_.begin(), deferred_.end(), utility) != deferred_.end();
}

std::string Pipeline::take_deferred() {
  std::string text;
  for (const std::string& utility : std::exchange(deferred_, {})) text += utility + "; ";
  return text;
}

void Pipeline::send_utility(const std::string& utility, bool attended) {
  if (!server_prepare_) {
    connection_.send_unprepared(utility, no_params_);
  } else {
    // The same few texts again and again: BEGIN, COMMIT, SAVEPOINT q1.
    const auto [statement, fresh] = statements_.find(utility, false, {});
    if (fresh) {
      connection_.send_prepare(statement->name, utility, no_params_);
      expected_.push_back({Expected::What::prepare, attended, statement});
    }
    connection_.send_prepared(statement->name, no_params_);
  }
  expected_.push_back({Expected::What::utility, attended, nullptr});
}

void Pipeline::send_deferred(bool attended) {
  for (const std::string& utility : deferred_) send_utility(utility, attended);
  deferred_.clear();
}

void Pipeline::send_garbage() {
  for (const std::string& name : statements_.take_garbage()) {
    connection_.send_unprepared("DEALLOCATE " + name, no_params_);
    expected_.push_back({Expected::What::utility, true, nullptr});
  }
}

void Pipeline::send(std::string_view text, Text kind, const ParamList& params) {
  send_deferred(true);
  if (!server_prepare_ || kind == Text::once) {
    auto once = std::make_shared<Prepared>();
    connection_.send_unprepared(text, params);
    expected_.push_back({Expected::What::statement, true, std::move(once)});
    return;
  }
  auto [statement, fresh] = statements_.find(text, kind == Text::fixed, params.types());
  if (fresh) {
    connection_.send_prepare(statement->name, text, params);
    expected_.push_back({Expected::What::prepare, true, statement});
  }
  connection_.send_prepared(statement->name, params);
  last_ = statement;
  expected_.push_back({Expected::What::statement, true, std::move(statement)});
  if (fresh) send_garbage();
}

void Pipeline::send_again(std::string_view text, Text kind, const ParamList& params) {
  if (!server_prepare_ || kind == Text::once || !deferred_.empty()) return send(text, kind, params);
  connection_.send_prepared(last_->name, params);
  expected_.push_back({Expected::What::statement, true, last_});
}

void Pipeline::end_segment() {
  connection_.send_sync();
  expected_.push_back({Expected::What::sync, true, nullptr});
  ++segments_unread_;
}

void Pipeline::end_segment_unattended() {
  send_deferred(false);
  connection_.send_sync();
  expected_.push_back({Expected::What::sync, false, nullptr});
  ++segments_unread_;
  PQflush(connection_.handle());  // as much as goes out at once; a dozen bytes always do
}

ResultPtr Pipeline::receive(const Expected& expected, Deadline deadline, Connection::OnDeadline on_deadline) {
  ResultPtr result = connection_.get_result(deadline, on_deadline);
  if (!result) {
    connection_.mark_broken();
    throw connection_lost(PQerrorMessage(connection_.handle()));
  }
  if (expected.what == Expected::What::sync) {
    if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
      connection_.mark_broken();
      throw make_error(report_of(result.get()));
    }
    --segments_unread_;
    return result;
  }
  if (failed(result.get())) {
    const auto report = report_of(result.get());
    if (report.fatal || connection_.broken()) {
      connection_.mark_broken();
      throw make_error(report);
    }
  }
  // The null that ends the command's results.
  while (auto more = connection_.get_result(deadline, on_deadline)) result = std::move(more);
  settle(expected, result.get());
  return result;
}

/// Tells the statement cache what has become of a PREPARE or of a statement that the server will not run again.
void Pipeline::settle(const Expected& expected, const PGresult* result) {
  if (expected.what == Expected::What::prepare) {
    if (failed(result))
      statements_.drop(*expected.statement);
    else
      expected.statement->made = true;
  }
  if (PQresultStatus(result) != PGRES_FATAL_ERROR) return;
  const auto report = report_of(result);
  if (report.sqlstate == "57014") connection_.forget_cancel();  // the cancel has hit what it was meant for
  if (!is_stale_statement(report)) return;
  if (report.sqlstate == "0A000" && expected.statement)
    statements_.drop(*expected.statement);
  else
    statements_.clear();
}

void Pipeline::fail(ResultPtr result, Deadline deadline) {
  // An aborted command means that something unattended before it failed; its own words are gone.
  Error error = PQresultStatus(result.get()) == PGRES_PIPELINE_ABORTED ? connection_lost("an earlier command failed")
                                                                       : make_error(report_of(result.get()));
  result.reset();
  drain(deadline);
  throw error;
}

Reply Pipeline::read(Deadline deadline, Connection::OnDeadline on_deadline) {
  while (!expected_.empty()) {
    const Expected expected = std::move(expected_.front());
    expected_.pop_front();
    ResultPtr result = receive(expected, deadline, on_deadline);
    if (expected.attended && failed(result.get())) fail(std::move(result), deadline);
    if (expected.what == Expected::What::statement) return {std::move(result), expected.statement};
  }
  throw_bug("a result is read that no statement was sent for");
}

void Pipeline::read_end(Deadline deadline, Connection::OnDeadline on_deadline) {
  while (!expected_.empty()) {
    const Expected expected = std::move(expected_.front());
    expected_.pop_front();
    ResultPtr result = receive(expected, deadline, on_deadline);
    if (expected.attended && failed(result.get())) fail(std::move(result), deadline);
    if (expected.what == Expected::What::sync && expected.attended) return;
  }
}

void Pipeline::drain(Deadline deadline, Connection::OnDeadline on_deadline) {
  while (!expected_.empty()) {
    const Expected expected = std::move(expected_.front());
    expected_.pop_front();
    receive(expected, deadline, on_deadline);
  }
}

}  // namespace quarry::sql::postgres_driver
