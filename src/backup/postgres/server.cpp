#include "backup/postgres/server.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <chrono>
#include <vector>

#include "backup/child.hpp"
#include "backup/postgres/connection_words.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::backup::postgres {
namespace {

constexpr std::size_t restore_buffer_bytes = 256 * 1024;

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
    " and split_part(datname, '_', 3)::bigint < extract(epoch from now()) - 86400"
    " and not exists (select 1 from pg_stat_activity a where a.datname = d.datname)"};

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
  for (const auto& name : server.tx().all(left_databases)) server.run(fmt::format("drop database if exists {}", name));
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
