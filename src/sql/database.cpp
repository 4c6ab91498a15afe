#include "quarry/sql/database.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>

#include "quarry/sql/backend.hpp"
#include "sql/nesting.hpp"
#include "sql/observed_session.hpp"
#include "sql/postgres/conninfo.hpp"
#include "sql/url.hpp"

namespace quarry {
namespace sql {

std::string_view to_string(Engine engine) noexcept { return engine == Engine::sqlite ? "sqlite" : "postgresql"; }

}  // namespace sql

namespace {

void check_options(const DatabaseOptions& options) {
  const auto refuse = [](bool wrong, const char* what) {
    if (wrong) throw_invalid(fmt::format("database option {}", what));
  };
  using std::chrono::milliseconds;
  refuse(options.connections_max < 1, "connections_max must be at least 1");
  refuse(options.connections_min > options.connections_max, "connections_min must not exceed connections_max");
  refuse(options.attempts_max < 1, "attempts_max must be at least 1");
  refuse(options.group_commit_max < 1, "group_commit_max must be at least 1");
  refuse(options.statement_cache_max < 16, "statement_cache_max must be at least 16");
  refuse(options.async_threads < 1, "async_threads must be at least 1");
  for (const auto timeout :
       {options.acquire_timeout, options.statement_timeout, options.busy_timeout, options.connection_age_max})
    refuse(timeout <= milliseconds{0}, "timeouts and ages must be above zero");
}

/// Several closures may share one session (group commit): each leaves it as it found it.
class ActingAs {
 public:
  ActingAs(sql::Session& session, const Actor& actor) : session_(session) { session_.act_as(actor); }
  ~ActingAs() { session_.act_as(Actor::system()); }
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  sql::Session& session_;
};

/// Tells an observer how long a closure took, with its wait for a connection and its commit.
class TransactionWatch {
 public:
  TransactionWatch(sql::Observer* observer, bool is_write) : observer_(observer), is_write_(is_write) {}
  ~TransactionWatch() {
    if (observer_)
      observer_->transaction_ended({.is_write = is_write_,
                                    .duration = std::chrono::steady_clock::now() - begin_,
                                    .failed = std::uncaught_exceptions() > thrown_});
  }
  TransactionWatch(const TransactionWatch&) = delete;
  TransactionWatch& operator=(const TransactionWatch&) = delete;

 private:
  sql::Observer* observer_;
  bool is_write_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  int thrown_ = std::uncaught_exceptions();
};

}  // namespace

Database Database::open(std::string_view url, DatabaseOptions options) {
  check_options(options);
  if (!options.random) options.random = std::make_shared<SystemRandom>();
  const auto parsed = sql::parse_database_url(url);
  return Database(parsed.engine == Engine::sqlite ? sql::open_sqlite(parsed.rest, std::move(options))
                                                  : sql::open_postgres(parsed.rest, std::move(options)));
}

std::string Database::shown_url(std::string_view url) {
  const auto parsed = sql::parse_database_url(url);
  if (parsed.engine == Engine::sqlite) return "sqlite:" + std::string(parsed.rest);
  return sql::postgres_driver::shown_url(parsed.rest);
}

Engine Database::engine() const noexcept { return backend_->engine(); }
DatabaseStats Database::stats() const { return backend_->stats(); }
Instant Database::now() const { return backend_->now(); }
Random& Database::random() const noexcept { return backend_->random(); }
const std::string& Database::display_url() const noexcept { return backend_->display_url(); }

void Database::refuse_inside_transaction() const { sql::refuse_nested(dynamic_cast<const void*>(backend_.get())); }

void Database::run_read(const ReadOptions& options, sql::FunctionRef<void(Read&)> body) const {
  auto* const observer = backend_->observer();
  if (options.actor == Actor::system() && !observer) return backend_->read(options, body);
  auto acting = [&](Read& tx) {
    const ActingAs actor(tx.session(), options.actor);
    if (!observer) return body(tx);
    sql::ObservedSession session(tx.session(), *observer);
    Read observed(session);
    body(observed);
  };
  const TransactionWatch watch(observer, false);
  backend_->read(options, sql::FunctionRef<void(Read&)>(acting));
}

void Database::run_write(const WriteOptions& options, sql::FunctionRef<void(Write&)> body) const {
  auto* const observer = backend_->observer();
  if (options.actor == Actor::system() && !observer) return backend_->write(options, body);
  auto acting = [&](Write& tx) {
    const ActingAs actor(tx.session(), options.actor);
    if (!observer) return body(tx);
    sql::ObservedSession session(tx.session(), *observer);
    Write observed(session);
    body(observed);
  };
  const TransactionWatch watch(observer, true);
  backend_->write(options, sql::FunctionRef<void(Write&)>(acting));
}

}  // namespace quarry
