/// Scripts with the no-transaction directive: each statement commits by itself, and the row in schema_migrations counts
/// them. A statement that may stand in a transaction shares one with its count; the others are looked up in the catalogs
/// when a run is resumed.

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "schema/runner.hpp"
#include "schema/session_transaction.hpp"

namespace quarry::schema {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr sql::Query<bool(std::string_view)> index_valid{
    "schema.pg_index_valid", "select indisvalid and indisready from pg_index where indexrelid = to_regclass($1)"};

struct ConcurrentIndex {
  bool create = false;
  std::string name;  ///< as written
};

/// `create [unique] index concurrently [if not exists] NAME`, `drop index concurrently [if exists] NAME`.
std::optional<ConcurrentIndex> concurrent_index(std::string_view statement) {
  Lexer lexer(Engine::postgres, statement);
  Token token = lexer.next_significant();
  const bool create = token.is_word("create");
  if (!create && !token.is_word("drop")) return std::nullopt;
  token = lexer.next_significant();
  if (token.is_word("unique")) token = lexer.next_significant();
  if (!token.is_word("index")) return std::nullopt;
  token = lexer.next_significant();
  if (!token.is_word("concurrently")) return std::nullopt;
  token = lexer.next_significant();
  while (token.is_word("if") || token.is_word("not") || token.is_word("exists")) token = lexer.next_significant();
  std::string name;
  for (; token.kind == TokenKind::word || token.kind == TokenKind::quoted_name || token.is('.');
       token = lexer.next_significant()) {
    if (token.is_word("on")) break;
    name += token.text;
  }
  return ConcurrentIndex{create, name};
}

}  // namespace

bool Runner::run_one_by_one(const Step& step) {
  const auto begin = SteadyClock::now();
  AppliedMigration row;
  std::size_t index = step.first;
  try {
    {
      SessionTransaction transaction(session_);
      if (!same_state(step)) return false;
      row = new_row(*step.migration, *step.script, session_.now());
      row.applied_count = static_cast<std::int64_t>(step.first);
      Write tx(session_);
      if (!has_state_tables(tx))
        throw MigrationError(Reason::bad_set,
                             "the first migration creates the migrator's tables, so it cannot do without a transaction");
      if (step.row)
        update_row(tx, row);
      else
        insert_row(tx, row);
      transaction.commit();
    }
    for (; index < step.script->statements.size(); ++index) {
      tell(step.moment(Moment::What::statement, index));
      verify_lock();
      run_singly(step, row, index);
    }
    tell(step.moment(Moment::What::commit, index));
    finish_singly(step, row, SteadyClock::now() - begin);
  } catch (const Error& error) {
    record_failure(step, index, error, row.version != 0 ? &row : nullptr);
    rethrow(step, index, error);
  }
  return true;
}

void Runner::run_singly(const Step& step, AppliedMigration& row, std::size_t index) {
  const auto& sql = step.script->statements[index].text;
  const bool alone = needs_autocommit(engine_, sql);
  const auto deadline = SteadyClock::now() + options_.lock_wait;
  while (true) {
    try {
      if (alone) {
        if (prepare_concurrent(step, index)) session_.run_script(step.script->path, sql);
        tell(step.moment(Moment::What::commit, index));  // done, but not counted yet
      }
      SessionTransaction transaction(session_);
      if (engine_ == Engine::postgres)
        session_.run_script("schema.lock_timeout",
                            fmt::format("set local lock_timeout = {}", options_.lock_timeout.count()));
      if (!alone) session_.run_script(step.script->path, sql);
      Write tx(session_);
      auto counted = row;
      counted.applied_count = static_cast<std::int64_t>(index) + 1;
      update_row(tx, counted);
      transaction.commit();
      row = std::move(counted);
      return;
    } catch (const Error& error) {
      if (!may_try_again(error, deadline)) throw;
    }
  }
}

void Runner::finish_singly(const Step& step, AppliedMigration& row, SteadyClock::duration took) {
  SessionTransaction transaction(session_);
  Write tx(session_);
  row.finished_at = session_.now();
  row.duration_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  if (step.direction == Direction::up)
    update_row(tx, row);
  else
    delete_row(tx, row.version);
  insert_log(tx, log_of(row, step.direction, step.direction == Direction::up ? "applied" : "reverted", *row.finished_at));
  transaction.commit();
}

/// False when the statement has been carried out already, by a run that could not count it any more.
bool Runner::prepare_concurrent(const Step& step, std::size_t index) {
  if (engine_ != Engine::postgres) return true;
  // Waits for other transactions by its nature, and holds nothing that others need meanwhile.
  session_.run_script("schema.lock_timeout", fmt::format("set lock_timeout = {}", options_.lock_wait.count()));
  const auto target = concurrent_index(step.script->statements[index].text);
  if (!target || target->name.empty()) return true;
  const auto valid = Read(session_).one(index_valid, std::string_view(target->name));
  const bool again = step.resumed && index == step.first;
  if (!target->create) return valid.has_value() || !again;
  if (!valid) return true;
  if (*valid) return !again;
  session_.run_script(step.script->path, fmt::format("drop index concurrently {}", target->name));
  return true;
}

}  // namespace quarry::schema
