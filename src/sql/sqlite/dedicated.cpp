#include "sql/sqlite/dedicated.hpp"

#include "quarry/core/error.hpp"
#include "sql/sqlite/gate.hpp"
#include "sql/sqlite/session.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

/// Without a surrounding transaction of the library there is no commit to run actions after.
class BareSession final : public SqliteSession {
 public:
  using SqliteSession::SqliteSession;
  void after_commit(std::function<void()>) override { throw_bug("a dedicated session has no after_commit"); }
  void notify(std::string_view) override { throw_bug("a dedicated session cannot notify"); }
};

void end_open_transaction(Connection& connection) noexcept {
  if (!connection.in_autocommit()) sqlite3_exec(connection.native(), "rollback", nullptr, nullptr, nullptr);
}

class OwnConnection final : public DedicatedSession {
 public:
  OwnConnection(const Location& location, const DatabaseOptions& options, const Clock& clock)
      : gate_(location.path + "-gate"),
        passage_(gate_, std::chrono::steady_clock::now() + options.busy_timeout),
        connection_(location, Role::writer, options),
        session_(connection_, clock, *options.random, {}) {}
  ~OwnConnection() override {
    end_open_transaction(connection_);
    sqlite3_wal_checkpoint_v2(connection_.native(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  Session& session() noexcept override { return session_; }

 private:
  Gate gate_;
  Passage passage_;
  Connection connection_;
  BareSession session_;
};

class BorrowedConnection final : public DedicatedSession {
 public:
  BorrowedConnection(Connection& connection, std::unique_lock<std::mutex> lock, const DatabaseOptions& options,
                     const Clock& clock)
      : lock_(std::move(lock)), connection_(connection), session_(connection, clock, *options.random, {}) {
    connection_.set_deadline(std::chrono::steady_clock::time_point::max());
  }
  ~BorrowedConnection() override { end_open_transaction(connection_); }
  Session& session() noexcept override { return session_; }

 private:
  std::unique_lock<std::mutex> lock_;
  Connection& connection_;
  BareSession session_;
};

}  // namespace

std::unique_ptr<DedicatedSession> open_dedicated(const Location& location, const DatabaseOptions& options,
                                                 const Clock& clock) {
  return std::make_unique<OwnConnection>(location, options, clock);
}

std::unique_ptr<DedicatedSession> borrow_dedicated(Connection& connection, std::unique_lock<std::mutex> lock,
                                                   const DatabaseOptions& options, const Clock& clock) {
  return std::make_unique<BorrowedConnection>(connection, std::move(lock), options, clock);
}

}  // namespace quarry::sql::sqlite_driver
