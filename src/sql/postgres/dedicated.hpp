#pragma once
/// The migrator's connection: see `DedicatedSession`. It counts against no pool, and no limit of time holds on it.

#include <memory>

#include "quarry/sql/backend.hpp"
#include "sql/postgres/conninfo.hpp"

namespace quarry::sql::postgres_driver {

/// Throws as `Connection::open`. `backend` must outlive the result.
std::unique_ptr<DedicatedSession> open_dedicated(const Backend& backend, const ConnectSettings& settings);

}  // namespace quarry::sql::postgres_driver
