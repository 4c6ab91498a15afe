#pragma once
/// What the pool lends: a connection with all that is known about its far end.

#include <chrono>
#include <memory>

#include "quarry/sql/options.hpp"
#include "sql/postgres/bulk_plan.hpp"
#include "sql/postgres/connection.hpp"
#include "sql/postgres/pipeline.hpp"
#include "sql/postgres/statement_cache.hpp"

namespace quarry::sql::postgres_driver {

/// The server's clock against ours, as one exchange shows it: right within half of the time that the exchange took.
struct ClockSample {
  std::chrono::microseconds offset{0};
  std::chrono::microseconds error{0};
};

/// Not thread-safe: belongs to whoever has borrowed it.
struct Link {
  /// Connects and measures the clock. Throws as `Connection::open`.
  static std::unique_ptr<Link> open(const ConnectSettings& settings, const DatabaseOptions& options, std::uint64_t salt,
                                    Deadline deadline);
  Link(std::unique_ptr<Connection> connected, const DatabaseOptions& options, std::uint64_t salt)
      : connection(std::move(connected)),
        statements(options.statement_cache_max, salt),
        pipeline(*connection, statements, options.server_prepare && options.statement_cache_max > 0) {}

  /// One empty round trip, in the half at most of the time that is left: the rest is for making another connection.
  bool answers(Deadline deadline) noexcept;

  std::unique_ptr<Connection> connection;
  StatementCache statements;
  Pipeline pipeline;
  BulkPlans bulk_plans;
  ClockSample clock;
};

}  // namespace quarry::sql::postgres_driver
