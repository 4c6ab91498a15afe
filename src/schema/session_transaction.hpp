#pragma once
/// A transaction on a dedicated session, rolled back unless it is committed.

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/sql/session.hpp"

namespace quarry::schema {

class SessionTransaction {
 public:
  /// `exclusive` keeps readers of a SQLite file in rollback mode out, too; in WAL mode they go on with what was there
  /// before.
  explicit SessionTransaction(sql::Session& session, bool exclusive = false) : session_(session) {
    session.run_script("schema.begin", session.engine() == sql::Engine::postgres ? "begin"
                                       : exclusive                               ? "begin exclusive"
                                                                                 : "begin immediate");
  }
  SessionTransaction(const SessionTransaction&) = delete;
  SessionTransaction& operator=(const SessionTransaction&) = delete;

  void commit() {
    session_.run_script("schema.commit", "commit");
    open_ = false;
  }

  ~SessionTransaction() {
    if (!open_) return;
    try {
      session_.run_script("schema.rollback", "rollback");
    } catch (const Error& error) {
      // SQLite rolls back by itself on some errors, and a broken connection has nothing open.
      log::debug("rollback: {}", error.client_message());
    }
  }

 private:
  sql::Session& session_;
  bool open_ = true;
};

}  // namespace quarry::schema
