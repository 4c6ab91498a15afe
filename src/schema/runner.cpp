#include "schema/runner.hpp"

#include <fmt/format.h>

#include <thread>
#include <utility>

#include "quarry/core/log.hpp"
#include "schema/session_transaction.hpp"
#include "schema/sqlite_backup.hpp"
#include "schema/sqlite_rebuild.hpp"

namespace quarry::schema {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::unique_ptr<sql::DedicatedSession> connect(const Database& db, std::chrono::milliseconds wait) {
  try {
    return db.backend().dedicated(wait);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::busy) throw;
    throw MigrationError(Reason::locked,
                         "another program works on the database and did not let the migrator in: " + error.client_message());
  }
}

std::int64_t microseconds(SteadyClock::duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

}  // namespace

Runner::Runner(const Database& db, const MigrationSet& set, const MigrateOptions& options)
    : db_(db),
      set_(set),
      options_(options),
      engine_(db.engine()),
      connection_(connect(db, options.lock_wait)),
      session_(connection_->session()) {
  if (engine_ != Engine::postgres) return;
  // No deadline for a long backfill; a migrator that hangs in a transaction is ended by the server.
  session_.run_script("schema.settings",
                      "set application_name = 'quarry migrate'; set statement_timeout = 0; set lock_timeout = 0;"
                      " set idle_in_transaction_session_timeout = '10min'");
  lock_.emplace(session_, LockOptions{options.lock_wait, options.on_wait});
  blockers_.emplace(db_, lock_->backend_pid());
}

StoredState Runner::state() {
  Read tx(session_);
  return read_state(tx);
}

Status Runner::usable_status() {
  const auto status = judge(state(), set_, engine_, db_.display_url());
  refuse_unless_usable(status, true);
  return status;
}

Model Runner::introspect_live() {
  Read tx(session_);
  return introspect(tx);
}

std::vector<AppliedStep> Runner::run(std::int64_t target) {
  std::vector<AppliedStep> done;
  from_nothing_ = usable_status().state == State::empty;
  while (auto step = next_step(state(), set_, engine_, target)) {
    verify_lock();
    auto backup = prepare_data_loss(*step);
    const auto begin = SteadyClock::now();
    const bool singly = step->resumed || step->script->no_transaction;
    if (!(singly ? run_one_by_one(*step) : run_in_transaction(*step))) continue;
    tell(step->moment(Moment::What::done, step->script->statements.size()));
    done.push_back({.version = step->migration->version,
                    .name = step->migration->name,
                    .direction = step->direction,
                    .statements = step->script->statements.size() - step->first,
                    .duration = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin),
                    .resumed = step->resumed,
                    .backup = std::move(backup)});
  }
  return done;
}

bool Runner::run_in_transaction(const Step& step) {
  const auto deadline = SteadyClock::now() + options_.lock_wait;
  while (true) {
    try {
      std::optional<RebuildMode> rebuild;
      if (step.script->rebuild) rebuild.emplace(session_);
      return attempt_in_transaction(step);
    } catch (const Error& error) {
      if (may_try_again(error, deadline)) continue;
      record_failure(step, statement_, error, nullptr);
      rethrow(step, statement_, error);
    }
  }
}

bool Runner::attempt_in_transaction(const Step& step) {
  const auto begin = SteadyClock::now();
  statement_ = 0;
  SessionTransaction transaction(session_, step.script->rebuild);
  if (engine_ == Engine::postgres)
    session_.run_script("schema.lock_timeout", fmt::format("set local lock_timeout = {}", options_.lock_timeout.count()));
  if (!same_state(step)) return false;
  run_statements_within(step);
  record_in_transaction(step, SteadyClock::now() - begin);
  if (step.script->rebuild) check_rebuilt(session_);
  tell(step.moment(Moment::What::commit, step.script->statements.size()));
  transaction.commit();
  return true;
}

void Runner::run_statements_within(const Step& step) {
  const auto& script = *step.script;
  for (statement_ = 0; statement_ < script.statements.size(); ++statement_) {
    tell(step.moment(Moment::What::statement, statement_));
    if (script.rebuild) check_copied_rows(session_, script, statement_);
    session_.run_script(script.path, script.statements[statement_].text);
  }
}

void Runner::record_in_transaction(const Step& step, SteadyClock::duration took) {
  Write tx(session_);
  const auto now = session_.now();
  auto row = new_row(*step.migration, *step.script, now - std::chrono::duration_cast<std::chrono::microseconds>(took));
  row.applied_count = row.statement_count;
  row.finished_at = now;
  row.duration_us = microseconds(took);
  // The first migration makes the migrator's own tables, and its down script takes them away.
  const bool has_tables = has_state_tables(tx);
  if (engine_ == Engine::sqlite) set_application_id(tx, has_tables);
  if (!has_tables) {
    if (step.direction == Direction::down) return;
    throw MigrationError(Reason::bad_set,
                         fmt::format("migration {} does not leave the migrator's tables in place: the first migration "
                                     "creates schema_migrations and schema_migration_log",
                                     step.migration->label()));
  }
  if (step.direction == Direction::up)
    insert_row(tx, row);
  else
    delete_row(tx, row.version);
  insert_log(tx, log_of(row, step.direction, step.direction == Direction::up ? "applied" : "reverted", now));
}

bool Runner::same_state(const Step& step) {
  const auto now = state();
  const auto* interrupted = now.interrupted();
  if (step.resumed) return interrupted && interrupted->version == step.migration->version;
  return !interrupted &&
         now.version() == (step.direction == Direction::up ? step.migration->version - 1 : step.migration->version);
}

void Runner::verify_lock() {
  if (lock_) lock_->verify();
}

void Runner::tell(const Moment& moment) const {
  if (options_.at_moment) options_.at_moment(moment);
}

std::string Runner::prepare_data_loss(const Step& step) {
  if (!step.script->destructive || from_nothing_) return {};
  if (!options_.allow_data_loss)
    throw MigrationError(
        Reason::data_loss,
        fmt::format("migration {} ({}) destroys data: make a backup, then run this again with --allow-data-loss",
                    step.migration->label(), to_string(step.direction)));
  if (engine_ != Engine::sqlite || !options_.backup || backed_up_) return {};
  backed_up_ = true;
  return back_up(session_, step.migration->label());
}

bool Runner::may_try_again(const Error& error, SteadyClock::time_point deadline) {
  if (error.sqlstate() != "55P03" && error.sqlstate() != "40P01") return false;
  if (SteadyClock::now() >= deadline) return false;
  if (options_.on_wait) {
    const auto who = blockers_ ? blockers_->last_seen() : std::string{};
    options_.on_wait("waiting for a lock" + (who.empty() ? std::string{} : " held by " + who));
  }
  // A pause in which those who queued behind us get on, with jitter so as not to fall into step with them.
  std::this_thread::sleep_for(std::chrono::milliseconds(100 + session_.random().below(400)));
  return true;
}

void Runner::rethrow(const Step& step, std::size_t index, const Error& error) {
  const auto& statements = step.script->statements;
  const auto where = index < statements.size() ? fmt::format("statement {} of {} ({}, line {})", index + 1,
                                                             statements.size(), step.script->path, statements[index].line)
                                               : fmt::format("the end ({})", step.script->path);
  const EngineDetail detail{error.engine_message(), error.sqlstate(), error.native_code()};
  if (const auto* known = dynamic_cast<const MigrationError*>(&error))
    throw MigrationError(known->reason(),
                         fmt::format("migration {} {} stopped at {}: {}", step.migration->label(), to_string(step.direction),
                                     where, error.client_message()),
                         detail);
  if (error.code() == ErrorCode::busy || error.sqlstate() == "55P03" || error.sqlstate() == "40P01") {
    const auto who = blockers_ ? blockers_->last_seen() : std::string{};
    throw MigrationError(
        Reason::locked,
        fmt::format("migration {} {} could not get a lock within {} ms at {}{}: end what holds it, and run this again",
                    step.migration->label(), to_string(step.direction), options_.lock_wait.count(), where,
                    who.empty() ? std::string{} : "; it is held by " + who),
        detail);
  }
  if (error.code() == ErrorCode::unavailable || error.poisons_connection()) throw error;
  throw MigrationError(Reason::failed,
                       fmt::format("migration {} {} failed at {}: {} ('--log debug' shows the engine's own words)",
                                   step.migration->label(), to_string(step.direction), where, error.client_message()),
                       detail);
}

void Runner::record_failure(const Step& step, std::size_t index, const Error& error, AppliedMigration* row) {
  // Who could not even begin has nothing to record, and would only wait again.
  if (error.poisons_connection() || error.code() == ErrorCode::busy) return;
  try {
    Write tx(session_);
    if (!has_state_tables(tx)) return;
    auto failed = row ? *row : new_row(*step.migration, *step.script, session_.now());
    failed.error_message = error.engine_message().empty() ? error.client_message() : error.engine_message();
    if (!error.sqlstate().empty()) failed.error_sqlstate = error.sqlstate();
    failed.error_statement = static_cast<std::int64_t>(index) + 1;
    if (row) update_row(tx, failed);
    insert_log(tx, log_of(failed, step.direction, "failed", session_.now()));
  } catch (const Error& second) {
    // The first error is the one to report.
    log::warn("the failure of migration {} could not be recorded: {}", step.migration->label(), second.client_message());
  }
}

}  // namespace quarry::schema
