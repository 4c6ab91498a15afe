#include "backup/postgres/server.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <chrono>
#include <thread>
#include <vector>

#include "backup/child.hpp"
#include "backup/postgres/connection_words.hpp"
#include "quarry/core/log.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::backup::postgres {
namespace {

constexpr std::size_t restore_buffer_bytes = std::size_t{256} * 1024;

constexpr sql::Query<bool(std::string_view)> database_exists{"backup.database_exists",
                                                             "select exists (select 1 from pg_database where datname = $1)"};
constexpr sql::Query<std::int64_t(std::string_view)> database_sessions{
    "backup.database_sessions",
    "select count(*)::bigint from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()"};

struct DatabaseOptionsRow {
  std::string encoding;
  std::string collation;
  std::string ctype;
};
BOOST_DESCRIBE_STRUCT(DatabaseOptionsRow, (), (encoding, collation, ctype))
constexpr sql::Query<DatabaseOptionsRow(std::string_view)> database_options{
    "backup.database_options",
    "select pg_encoding_to_char(encoding)::text as encoding, datcollate::text as collation, datctype::text as ctype"
    " from pg_database where datname = $1"};

constexpr sql::Query<std::string()> left_databases{
    "backup.left_databases",
    "select datname::text from pg_database d where datname ~ '^quarry_(scratch|restore)_[0-9]+_[0-9a-f]{8}$'"
    " and not exists (select 1 from pg_stat_activity a where a.datname = d.datname)"};

// An advisory lock on the eight digits at the end of the name, which are random. 0x51424b50: QBKP.
constexpr sql::Query<bool(std::string_view)> try_hold{
    "backup.try_hold", "select pg_try_advisory_lock(1363299152, ('x' || right($1, 8))::bit(32)::int4)"};
constexpr sql::Query<bool(std::string_view)> let_go{
    "backup.let_go", "select pg_advisory_unlock(1363299152, ('x' || right($1, 8))::bit(32)::int4)"};

// What is granted on a database is in no dump of it. Only what differs from a new one's needs to be said.
constexpr sql::Query<std::string(std::string_view, std::string_view)> rights_of{
    "backup.database_rights",
    "select format('alter database %I owner to %I', $2::text, pg_get_userbyid(datdba)) as statement from pg_database"
    " where datname = $1 and datdba <> (select oid from pg_roles where rolname = current_user)"
    " union all select format('revoke all on database %I from public', $2::text) from pg_database"
    " where datname = $1 and datacl is not null"
    " union all select format('grant %s on database %I to %s%s', g.privilege_type, $2::text,"
    "   case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,"
    "   case when g.is_grantable then ' with grant option' else '' end)"
    " from pg_database d, aclexplode(d.datacl) g where d.datname = $1"};

constexpr std::string_view make_roles = R"(do $$
declare wanted text;
begin
  foreach wanted in array array['quarry_system', 'quarry_tenant'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      execute format('create role %I nologin', wanted);
    end if;
    if not pg_has_role(current_user, wanted, 'member') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
end $$)";

DatabaseOptions administrative() {
  DatabaseOptions options;
  options.connections_max = 1;
  return options;
}

}  // namespace

Administration::Administration(std::string_view url)
    : db_(Database::open(url, administrative())), connection_(db_.backend().dedicated()), tx_(connection_->session()) {}

bool Administration::exists(std::string_view database) { return tx_.value(database_exists, database); }
std::int64_t Administration::sessions_on(std::string_view database) { return tx_.value(database_sessions, database); }

std::string administration_url(std::string_view url) { return url_with_database(url, "postgres"); }

std::string options_like(Administration& server, std::string_view database) {
  const auto row = server.tx().one(database_options, database);
  if (!row) return {};
  return fmt::format(" encoding {} lc_collate {} lc_ctype {}", schema::quoted_text(row->encoding),
                     schema::quoted_text(row->collation), schema::quoted_text(row->ctype));
}

void ensure_roles(Administration& server) { server.run(std::string(make_roles)); }

void drop_left(Administration& server) {
  for (const auto& name : server.tx().all(left_databases)) {
    if (!server.tx().value(try_hold, std::string_view(name))) continue;
    try {
      server.run(fmt::format("drop database if exists {}", name));
    } catch (const Error& error) {
      // Another role's, or somebody has connected to it this moment.
      if (error.poisons_connection()) throw;
      log::warn("the database {}, which a killed run has left, could not be dropped: {}", name, error.client_message());
    }
    server.tx().value(let_go, std::string_view(name));
  }
}

void hold_scratch(Administration& server, std::string_view name) { server.tx().value(try_hold, name); }

void refuse_sessions(Administration& server, std::string_view database) {
  auto sessions = server.sessions_on(database);
  for (int i = 0; i < 20 && sessions > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    sessions = server.sessions_on(database);
  }
  if (sessions > 0)
    throw Error(ErrorCode::busy,
                fmt::format("the database '{}' is in use by {} sessions: end them, and try again", database, sessions));
}

void take_rights(Administration& server, std::string_view database, std::string_view from) {
  for (const auto& statement : server.tx().all(rights_of, from, database)) server.run(statement);
}

std::string new_scratch_name(std::string_view what) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  return fmt::format("quarry_{}_{}_{:08x}", what, now.count(), randombytes_random());
}

std::int64_t restore_dump(const BytesIn& in, std::string_view url, const Pause& pause) {
  Child child("pg_restore", {"--format=custom", "--exit-on-error", "--no-password", "--dbname=" + database_of(url)},
              environment_of(url), Pipe::to_child);
  std::vector<std::byte> buffer(restore_buffer_bytes);
  std::int64_t bytes = 0;
  bool listens = true;
  // Read to its end even if the child has had enough: what was not proven whole is not put in its place.
  while (const auto got = in(buffer)) {
    listens = listens && child.write(std::span(buffer).first(got));
    bytes += static_cast<std::int64_t>(got);
    pause();
  }
  child.wait("restore the dump");
  return bytes;
}

}  // namespace quarry::backup::postgres
