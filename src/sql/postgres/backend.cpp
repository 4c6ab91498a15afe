#include "sql/postgres/backend.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "quarry/core/log.hpp"
#include "sql/nesting.hpp"
#include "sql/postgres/backoff.hpp"
#include "sql/postgres/dedicated.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto retry_pause = 2ms;
constexpr auto retry_pause_max = 500ms;

DatabaseOptions with_defaults(DatabaseOptions options) {
  if (!options.clock) options.clock = std::make_shared<SystemClock>();
  if (!options.random) options.random = std::make_shared<SystemRandom>();
  return options;
}

std::string limits_per_transaction(const DatabaseOptions& options) {
  if (options.server_prepare) return "";
  return fmt::format(
      "select set_config('statement_timeout', '{}', true), set_config('lock_timeout', '{}', true), "
      "set_config('idle_in_transaction_session_timeout', '{}', true)",
      options.statement_timeout.count(), options.busy_timeout.count(), options.statement_timeout.count() * 10);
}

std::string_view begin_for(Isolation isolation) {
  switch (isolation) {
    case Isolation::read_committed:
      return "begin isolation level read committed";
    case Isolation::repeatable_read:
      return "begin isolation level repeatable read";
    case Isolation::serializable:
      return "begin isolation level serializable";
  }
  return "begin";
}

Deadline end_of(std::chrono::milliseconds deadline) {
  return deadline.count() == 0 ? Deadline::max() : steady_clock::now() + deadline;
}

}  // namespace

PostgresBackend::PostgresBackend(std::string_view url, DatabaseOptions options)
    : options_(with_defaults(std::move(options))),
      settings_(parse_url(url, options_)),
      setup_(limits_per_transaction(options_)),
      pid_(getpid()),
      system_clock_(dynamic_cast<const SystemClock*>(options_.clock.get()) != nullptr) {
  PoolConfig<Link> config;
  config.connections_min = options_.connections_min;
  config.connections_max = options_.connections_max;
  config.waiters_max = options_.waiters_max;
  config.acquire_timeout = options_.acquire_timeout;
  config.age_max = options_.connection_age_max;
  config.idle_before_check = options_.idle_before_check;
  config.open = [this](Deadline deadline) { return open_link(deadline); };
  config.healthy = [](Link& link, Deadline deadline) { return link.answers(deadline); };
  config.random = [this] { return options_.random->next(); };
  pool_ = std::make_unique<LinkPool>(std::move(config));
  work_ = std::make_unique<WorkPool>(options_.async_threads);
  listener_ = std::make_unique<Listener>(settings_, *options_.random);
  pool_->acquire(Deadline::max());
}

PostgresBackend::~PostgresBackend() {
  if (pid_ == getpid()) return;
  // A forked child has neither the threads nor a right to the sockets: both are the parent's to end.
  static_cast<void>(pool_.release());
  static_cast<void>(work_.release());
  static_cast<void>(listener_.release());
}

std::unique_ptr<Link> PostgresBackend::open_link(Deadline deadline) {
  auto link = Link::open(settings_, options_, options_.random->next(), deadline);
  adjust_clock(link->clock);
  return link;
}

void PostgresBackend::adjust_clock(const ClockSample& sample) noexcept {
  // Within the error of the measurement the old value is as good as the new one; keeping it keeps the clock steady.
  const auto differs = std::chrono::abs(sample.offset - std::chrono::microseconds(clock_offset_us_.load()));
  if (system_clock_ && differs > sample.error) clock_offset_us_ = sample.offset.count();
}

Instant PostgresBackend::now() const {
  return options_.clock->now() + std::chrono::microseconds(clock_offset_us_.load(std::memory_order_relaxed));
}

void PostgresBackend::check_process() const {
  if (pid_ != getpid()) throw_bug("a database handle is used in a forked process: open one there");
}

LinkPool::Lease PostgresBackend::borrow(Deadline end) {
  auto lease = pool_->acquire(end);
  while (!lease->connection->looks_alive()) {
    lease.poison();
    lease = {};
    lease = pool_->acquire(end);
  }
  return lease;
}

void PostgresBackend::give_up(PostgresSession& session, LinkPool::Lease& lease) {
  session.rollback();
  if (!session.reusable()) lease.poison();
  throw;
}

void PostgresBackend::read_once(FunctionRef<void(Read&)> body, Deadline end) {
  auto lease = borrow(end);
  PostgresSession session(*this, *lease, {"begin isolation level repeatable read read only", setup_, false, end}, &lease);
  try {
    Read tx(session);
    body(tx);
    session.end_read();
  } catch (...) {
    give_up(session, lease);
  }
  if (!session.reusable()) lease.poison();
}

std::vector<std::function<void()>> PostgresBackend::write_once(const WriteOptions& options, FunctionRef<void(Write&)> body,
                                                               Deadline end) {
  auto lease = borrow(end);
  PostgresSession session(*this, *lease, {std::string(begin_for(options.isolation)), setup_, true, end}, &lease);
  try {
    Write tx(session);
    body(tx);
    session.commit();
  } catch (const Error& error) {
    if (error.sqlstate() == "25006")
      pool_->bump_generation();  // a failover: the other connections lead to the old primary too
    give_up(session, lease);
  } catch (...) {
    give_up(session, lease);
  }
  if (!session.reusable()) lease.poison();
  return session.take_actions();
}

template <class Attempt>
void PostgresBackend::run_with_retries(Deadline end, Attempt attempt) {
  Backoff backoff(*options_.random, retry_pause, retry_pause_max);
  for (int run = 1;; ++run) {
    try {
      return attempt();
    } catch (const Error& error) {
      if (!error.retryable() || error.outcome_unknown() || run >= options_.attempts_max) throw;
      const auto pause = backoff.next();
      if (end != Deadline::max() && steady_clock::now() + pause >= end) throw;
      log::debug("postgres: attempt {} of a transaction failed ({}), again in {} us", run, error.what(), pause.count());
      ++retries_;
      std::this_thread::sleep_for(pause);
    }
  }
}

void PostgresBackend::read(const ReadOptions& options, FunctionRef<void(Read&)> body) {
  check_process();
  const InTransaction marker(this);
  const Deadline end = end_of(options.deadline);
  run_with_retries(end, [&] { read_once(body, end); });
  ++reads_;
}

void PostgresBackend::write(const WriteOptions& options, FunctionRef<void(Write&)> body) {
  check_process();
  if (options_.read_only) throw Error(ErrorCode::denied, "the database was opened for reading only");
  std::vector<std::function<void()>> actions;
  {
    const InTransaction marker(this);
    const Deadline end = end_of(options.deadline);
    run_with_retries(end, [&] { actions = write_once(options, body, end); });
  }
  ++writes_;
  for (const auto& action : actions) {
    try {
      action();
    } catch (const std::exception& error) {
      // The work is committed: an exception here would tell the caller the opposite.
      log::error("an action after a commit failed: {}", error.what());
    }
  }
}

DatabaseStats PostgresBackend::stats() const {
  const auto counts = pool_->counts();
  DatabaseStats stats;
  stats.connections = counts.open;
  stats.connections_idle = counts.idle;
  stats.waiters = counts.waiters;
  stats.reads = reads_;
  stats.writes = writes_;
  stats.commits = writes_;
  stats.retries = retries_;
  return stats;
}

void PostgresBackend::run_outside_transaction(std::string_view name, std::string_view sql) {
  check_process();
  if (options_.read_only) throw Error(ErrorCode::denied, "the database was opened for reading only");
  // CREATE INDEX CONCURRENTLY waits for every older transaction: for one of this thread, for ever.
  const InTransaction marker(this);
  try {
    dedicated()->session().run_script(name, sql);
  } catch (Error& error) {
    error.add_query(name);
    throw;
  }
}

std::unique_ptr<DedicatedSession> PostgresBackend::dedicated(std::optional<std::chrono::milliseconds>) {
  check_process();
  return open_dedicated(*this, settings_);
}

std::unique_ptr<Subscription> PostgresBackend::subscribe(std::string_view channel, std::function<void()> wake) {
  check_process();
  return listener_->subscribe(channel, std::move(wake));
}

void PostgresBackend::post(std::function<void()> job) {
  check_process();
  work_->post(std::move(job));
}

}  // namespace quarry::sql::postgres_driver

namespace quarry::sql {

std::shared_ptr<Backend> open_postgres(std::string_view url, DatabaseOptions options) {
  return std::make_shared<postgres_driver::PostgresBackend>(url, std::move(options));
}

}  // namespace quarry::sql
