#include "schema/postgres_lock.hpp"

#include <fmt/format.h>

#include <boost/describe/class.hpp>
#include <thread>

#include "quarry/schema/error.hpp"
#include "quarry/schema/migration.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::schema {
namespace {

struct Place {
  std::string database;
  std::string schema;
  std::int64_t pid;
};
BOOST_DESCRIBE_STRUCT(Place, (), (database, schema, pid))

constexpr sql::Query<Place()> place{
    "schema.pg_place",
    "select current_database()::text as database, coalesce(current_schema()::text, '') as schema,"
    " pg_backend_pid()::bigint as pid"};

constexpr sql::Query<bool(std::int64_t)> try_lock{"schema.pg_try_lock", "select pg_try_advisory_lock($1::bigint)"};

// A bigint key stands in pg_locks as two halves with objsubid 1.
constexpr sql::Query<bool(std::int64_t)> still_held{
    "schema.pg_lock_held",
    "select exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1 and pid = pg_backend_pid()"
    " and classid = (($1::bigint >> 32) & 4294967295)::oid and objid = ($1::bigint & 4294967295)::oid"
    " and database = (select oid from pg_database where datname = current_database()))"};

constexpr sql::Query<std::string(std::int64_t)> holder{
    "schema.pg_lock_holder",
    "select format('%s (process %s%s, since %s)', coalesce(nullif(a.application_name, ''), 'a program without a name'), "
    "a.pid,"
    "              coalesce(' from ' || host(a.client_addr), ''), to_char(a.backend_start at time zone 'UTC', 'HH24:MI:SS "
    "UTC'))"
    "  from pg_locks l join pg_stat_activity a on a.pid = l.pid"
    " where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
    "   and l.classid = (($1::bigint >> 32) & 4294967295)::oid and l.objid = ($1::bigint & 4294967295)::oid"
    "   and l.database = (select oid from pg_database where datname = current_database()) limit 1"};

}  // namespace

std::int64_t lock_key(std::string_view database, std::string_view schema) {
  const auto hash = sha256_hex(fmt::format("quarry\n{}\n{}", database, schema));
  return static_cast<std::int64_t>(std::stoull(hash.substr(0, 16), nullptr, 16));
}

PostgresLock::PostgresLock(sql::Session& session, const LockOptions& options) : session_(session) {
  Read tx(session);
  const auto here = tx.value(place);
  key_ = lock_key(here.database, here.schema);
  pid_ = here.pid;
  const auto deadline = std::chrono::steady_clock::now() + options.wait;
  bool told = false;
  while (!tx.value(try_lock, key_)) {
    if (std::chrono::steady_clock::now() >= deadline)
      throw MigrationError(
          Reason::locked,
          fmt::format("another migrator holds the lock and did not finish within {} ms: {}. Wait for it, or end it "
                      "and run this again",
                      options.wait.count(), describe_holder()));
    if (!told && options.on_wait) options.on_wait("waiting for another migrator: " + describe_holder());
    told = true;
    // Jitter, so that many waiting programs do not ask all at once.
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + session.random().below(80)));
  }
  verify();
}

void PostgresLock::verify() {
  Read tx(session_);
  if (tx.value(place).pid == pid_ && tx.value(still_held, key_)) return;
  throw MigrationError(
      Reason::locked,
      "the migrator's lock is gone: its connection was replaced on the way. Name a server directly, not a pooler "
      "that lends connections per transaction, and run this again");
}

std::string PostgresLock::describe_holder() {
  Read tx(session_);
  return tx.one(holder, key_).value_or("it has just let go");
}

}  // namespace quarry::schema
