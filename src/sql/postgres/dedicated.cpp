#include "sql/postgres/dedicated.hpp"

#include "sql/postgres/session.hpp"
#include "sql/postgres/simple_result.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using std::chrono::steady_clock;

/// Its user begins and ends transactions by scripts, so there is no commit of ours to hang anything on.
class BareSession final : public PostgresSession {
 public:
  BareSession(const Backend& backend, Link& link) : PostgresSession(backend, link, {}, nullptr) {}

  void after_commit(std::function<void()>) override { throw_bug("a dedicated session has no after_commit"); }
  void notify(std::string_view) override { throw_bug("a dedicated session cannot notify"); }
  Cursor& stream(const Statement& statement, std::span<const Param> params, std::size_t chunk_rows) override {
    // A cursor needs a transaction to live in.
    if (connection().transaction_status() == PQTRANS_IDLE) return execute(statement, params);
    return PostgresSession::stream(statement, params, chunk_rows);
  }
};

/// Schema changes make prepared statements useless at every turn, so none are kept here.
DatabaseOptions without_prepare(DatabaseOptions options) {
  options.server_prepare = false;
  return options;
}

std::unique_ptr<Link> open_link(const Backend& backend, const ConnectSettings& settings) {
  const Deadline deadline = steady_clock::now() + backend.options().acquire_timeout;
  auto link = Link::open(settings, without_prepare(backend.options()), backend.random().next(), deadline);
  std::string sql = "set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0";
  if (backend.options().read_only) sql += "; set default_transaction_read_only = on";
  const PipelinePause pause(*link->connection);
  check_simple(*link->connection, link->connection->simple(sql, deadline).get(), PGRES_COMMAND_OK);
  return link;
}

class Dedicated final : public DedicatedSession {
 public:
  Dedicated(const Backend& backend, const ConnectSettings& settings)
      : link_(open_link(backend, settings)), session_(backend, *link_) {}
  Session& session() noexcept override { return session_; }

 private:
  std::unique_ptr<Link> link_;
  BareSession session_;
};

}  // namespace

std::unique_ptr<DedicatedSession> open_dedicated(const Backend& backend, const ConnectSettings& settings) {
  return std::make_unique<Dedicated>(backend, settings);
}

}  // namespace quarry::sql::postgres_driver
