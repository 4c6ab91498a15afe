#pragma once
/// PostgreSQL behind a `Database`: the pool, the transactions with their retries, the listener.
///
/// A closure runs again when its transaction lost against another (40001, 40P01), when its connection broke before COMMIT
/// was sent, or when a prepared statement was out of date. Thread-safe.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "quarry/sql/backend.hpp"
#include "sql/pool/work_pool.hpp"
#include "sql/postgres/listener.hpp"
#include "sql/postgres/session.hpp"

namespace quarry::sql::postgres_driver {

class PostgresBackend final : public Backend {
 public:
  /// Connects once, so that a wrong URL, a wrong password or a missing server shows here. Throws as `Connection::open`.
  PostgresBackend(std::string_view url, DatabaseOptions options);
  ~PostgresBackend() override;

  Engine engine() const noexcept override { return Engine::postgres; }
  void read(const ReadOptions& options, FunctionRef<void(Read&)> body) override;
  void write(const WriteOptions& options, FunctionRef<void(Write&)> body) override;
  DatabaseStats stats() const override;
  Instant now() const override;
  Random& random() const noexcept override { return *options_.random; }
  const std::string& display_url() const noexcept override { return settings_.display_url; }
  const DatabaseOptions& options() const noexcept override { return options_; }
  void run_outside_transaction(std::string_view name, std::string_view sql) override;
  using Backend::dedicated;
  std::unique_ptr<DedicatedSession> dedicated(std::optional<std::chrono::milliseconds> wait) override;
  std::unique_ptr<Subscription> subscribe(std::string_view channel, std::function<void()> wake) override;
  void post(std::function<void()> job) override;

 private:
  std::unique_ptr<Link> open_link(Deadline deadline);
  /// A connection that has not been closed by the server as far as one can see without asking.
  LinkPool::Lease borrow(Deadline end);
  void read_once(FunctionRef<void(Read&)> body, Deadline end);
  std::vector<std::function<void()>> write_once(const WriteOptions& options, FunctionRef<void(Write&)> body, Deadline end);
  template <class Attempt>
  void run_with_retries(Deadline end, Attempt attempt);
  /// Hands on what a closure threw after its transaction has been rolled back.
  [[noreturn]] void give_up(PostgresSession& session, LinkPool::Lease& lease);
  void check_process() const;
  void adjust_clock(const ClockSample& sample) noexcept;

  DatabaseOptions options_;
  const ConnectSettings settings_;
  const std::string setup_;  ///< limits for each transaction, when the connection may be shared by a pooler
  const int pid_;
  const bool system_clock_;
  std::atomic<std::int64_t> clock_offset_us_{0};
  std::atomic<std::uint64_t> reads_{0}, writes_{0}, retries_{0};
  std::unique_ptr<LinkPool> pool_;
  std::unique_ptr<WorkPool> work_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace quarry::sql::postgres_driver
