#pragma once
/// Databases of a PostgreSQL server made, renamed and dropped.

#include <string>
#include <string_view>

#include "backup/engine.hpp"
#include "quarry/sql/backend.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::backup::postgres {

/// One connection for statements of ours, without limits of time.
class Administration {
 public:
  explicit Administration(std::string_view url);
  sql::Session& session() noexcept { return connection_->session(); }
  Read& tx() noexcept { return tx_; }
  void run(const std::string& sql) { session().run_script("backup.administer", sql); }
  bool exists(std::string_view database);
  std::int64_t sessions_on(std::string_view database);

 private:
  Database db_;
  std::unique_ptr<sql::DedicatedSession> connection_;
  Read tx_;
};

/// The database by which a server is administered: `postgres`.
std::string administration_url(std::string_view url);
/// Encoding and collation of a database, as CREATE DATABASE wants them; empty when it is not there.
std::string options_like(Administration& server, std::string_view database);
/// Makes the two roles of docs/tenants.md when they are missing.
void ensure_roles(Administration& server);
/// Drops what killed programs have left: scratch databases whose makers' sessions are gone.
void drop_left(Administration& server);
std::string new_scratch_name(std::string_view what);
/// Keeps others from dropping the scratch database of this name for as long as the session lasts.
void hold_scratch(Administration& server, std::string_view name);
/// Throws `busy` when the database is in use after a second's patience: a session that was closed a moment ago may still be
/// counted.
void refuse_sessions(Administration& server, std::string_view database);
/// Gives a database the owner and the rights that another one has. Nothing when that is not there.
void take_rights(Administration& server, std::string_view database, std::string_view from);

/// pg_restore of a dump into the empty database that the URL names. Returns the bytes of the dump.
std::int64_t restore_dump(const BytesIn& in, std::string_view url, const Pause& pause);

}  // namespace quarry::backup::postgres
