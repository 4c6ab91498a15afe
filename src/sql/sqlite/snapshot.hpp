#pragma once
/// One moment of the database for all queries of a read.

#include "sql/sqlite/connection.hpp"

namespace quarry::sql::sqlite_driver {

/// While it lives, every statement of the connection sees the database as it was when this was made. A statement that stands on its
/// row holds SQLite's read transaction open, as BEGIN and COMMIT around the queries would, and costs one step instead of two; its text
/// is the cheapest one that reads the file at all. Throws what opening the file may throw (`corrupt`, `unavailable`).
class Snapshot {
 public:
  explicit Snapshot(Connection& connection) : anchor_(connection.control("pragma user_version")) { anchor_->step(); }

 private:
  OpenCursor anchor_;
};

}  // namespace quarry::sql::sqlite_driver
