/// PostgreSQL as `engine.hpp` wants it.

#include "backup/engine.hpp"

#include <fmt/format.h>

#include <vector>

#include "backup/child.hpp"
#include "backup/postgres/connection_words.hpp"
#include "backup/postgres/facts.hpp"
#include "backup/postgres/server.hpp"
#include "backup/postgres/unless_lost.hpp"
#include "quarry/artifacts/blob_hash.hpp"
#include "quarry/core/log.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::backup {
namespace {

using namespace postgres;

constexpr std::size_t dump_buffer_bytes = std::size_t{256} * 1024;

constexpr sql::Query<std::string()> export_snapshot{"backup.export_snapshot", "select pg_export_snapshot()::text"};
constexpr sql::Query<bool()> beyond_row_security{
    "backup.beyond_row_security", "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"};
constexpr sql::Query<bool()> has_bodies{"backup.has_bodies", "select to_regclass('blobs') is not null"};
constexpr sql::Query<artifacts::BlobHash()> all_bodies{
    "backup.bodies",
    "select hash from blobs where exists (select 1 from artifacts where blob_hash = blobs.hash) order by hash"};

class PostgresSource final : public SourceDatabase {
 public:
  explicit PostgresSource(std::string_view url) : url_(std::string(url)), connection_(url) {
    connection_.run("begin isolation level repeatable read read only");
    snapshot_ = connection_.tx().value(export_snapshot);
  }
  void dump(const BytesOut& out, const Pause& pause) override {
    std::vector<std::string> args{"--format=custom", "--compress=0", "--no-password", "--snapshot=" + snapshot_};
    // As a member of quarry_system it sees every row through the policies; pg_dump would refuse to look through them.
    if (!connection_.tx().value(beyond_row_security)) args.emplace_back("--enable-row-security");
    Child child("pg_dump", args, environment_of(url_.reveal()), Pipe::from_child);
    std::vector<std::byte> buffer(dump_buffer_bytes);
    while (const auto got = child.read(buffer)) {
      out(std::span(buffer).first(got));
      pause();
    }
    child.wait("dump the database");
  }
  DatabaseFacts facts(const Pause&) override { return facts_of(connection_.tx(), connection_.session()); }
  void bodies(const std::function<void(std::string_view)>& hash) override {
    if (!connection_.tx().value(has_bodies)) return;
    auto rows = connection_.tx().stream(all_bodies);
    for (const auto& body : rows) hash({reinterpret_cast<const char*>(body.bytes.data()), body.bytes.size()});
  }

 private:
  Secret url_;
  Administration connection_;
  std::string snapshot_;
};

class PostgresRestored final : public RestoredDatabase {
 public:
  /// `target` is empty for a scratch database.
  PostgresRestored(std::string_view url, std::string target)
      : url_(std::string(url)),
        target_(std::move(target)),
        server_(administration_url(url)),
        name_(new_scratch_name(target_.empty() ? "scratch" : "restore")) {
    drop_left(server_);
    hold_scratch(server_, name_);
    ensure_roles(server_);
    // Like the one that is replaced, or the one it was asked to stand beside.
    const auto like = options_like(server_, target_.empty() ? database_of(url) : target_);
    server_.run(fmt::format("create database {} template template0{}", name_, like));
  }
  ~PostgresRestored() override {
    if (!placed_) drop(name_);
  }
  std::int64_t fill(const BytesIn& in, const Pause& pause) override { return restore_dump(in, own_url(), pause); }
  DatabaseFacts examine(const Pause&) override {
    Administration connection(own_url());
    connection.run("begin isolation level repeatable read read only");
    return facts_of(connection.tx(), connection.session());
  }
  std::string put_in_place(const Placing& placing) override;

 private:
  bool rename_if_free();
  /// One that is in the way of nobody: what cannot be dropped now goes later.
  void drop(const std::string& name) {
    try {
      server_.run(fmt::format("drop database if exists {}", name));
    } catch (const Error& error) {
      log::warn("the database {} could not be dropped, a later backup will: {}", name, error.client_message());
    }
  }
  std::string own_url() const { return url_with_database(url_.reveal(), name_); }

  Secret url_;
  std::string target_;
  Administration server_;
  std::string name_;
  bool placed_ = false;
};

/// False when the name has been taken meanwhile.
bool PostgresRestored::rename_if_free() {
  try {
    server_.run(fmt::format("alter database {} rename to {}", name_, schema::quoted_name(target_)));
    return true;
  } catch (const Error& error) {
    if (error.poisons_connection() || error.sqlstate() != "42P04") throw;
    return false;
  }
}

std::string PostgresRestored::put_in_place(const Placing& placing) {
  if (!server_.exists(target_)) {
    placing.before();
    placed_ = rename_if_free();
    if (placed_) return {};
  }
  refuse_sessions(server_, target_);
  take_rights(server_, name_, target_);
  const auto old = new_scratch_name("restore");
  hold_scratch(server_, old);
  const auto away = fmt::format("alter database {} rename to {}", schema::quoted_name(target_), old);
  // Both names change in one commit, or neither does. The server refuses while somebody is connected.
  server_.run("begin");
  try {
    if (placing.replace)
      server_.run(away);
    else
      rename_unless_lost(server_, away, url_.reveal());
    placing.before();
    server_.run(fmt::format("alter database {} rename to {}", name_, schema::quoted_name(target_)));
    server_.run("commit");
  } catch (const Error& error) {
    if (!error.poisons_connection()) server_.run("rollback");
    if (error.sqlstate() == "55006")
      throw Error(ErrorCode::busy, fmt::format("the database '{}' is in use: end its sessions, and try again", target_));
    throw;
  } catch (...) {
    server_.run("rollback");
    throw;
  }
  placed_ = true;
  drop(old);
  return {};
}

}  // namespace

std::unique_ptr<SourceDatabase> open_postgres_source(std::string_view url) { return std::make_unique<PostgresSource>(url); }

std::unique_ptr<RestoredDatabase> restore_postgres(std::string_view url) {
  return std::make_unique<PostgresRestored>(url, database_of(url));
}

std::unique_ptr<RestoredDatabase> restore_postgres_scratch(std::string_view server_url) {
  return std::make_unique<PostgresRestored>(server_url, std::string());
}

void refuse_postgres_rows(std::string_view url) {
  Administration server(administration_url(url));
  if (!server.exists(database_of(url))) return;
  Administration database(url);
  refuse_to_lose(database.tx(), database_of(url));
}

void refuse_postgres_use(std::string_view url) {
  Administration server(administration_url(url));
  refuse_sessions(server, database_of(url));
}

}  // namespace quarry::backup
