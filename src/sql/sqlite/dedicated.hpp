#pragma once
/// The migrator's connection: see `DedicatedSession`.
///
/// On a file it is a writing connection of its own that stays inside the gate as long as it lives, so that nobody else
/// writes or checkpoints meanwhile. An in-memory database has one connection, which is borrowed.

#include <memory>
#include <mutex>

#include "quarry/sql/backend.hpp"
#include "sql/sqlite/connection.hpp"

namespace quarry::sql::sqlite_driver {

/// Throws `busy` when the gate stays closed for the busy timeout.
std::unique_ptr<DedicatedSession> open_dedicated(const Location& location, const DatabaseOptions& options,
                                                 const Clock& clock);

/// Borrows `connection` for as long as `lock` is held by the result.
std::unique_ptr<DedicatedSession> borrow_dedicated(Connection& connection, std::unique_lock<std::mutex> lock,
                                                   const DatabaseOptions& options, const Clock& clock);

}  // namespace quarry::sql::sqlite_driver
