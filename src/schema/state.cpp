#include "schema/state.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <boost/describe/class.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace quarry::schema {

namespace {

struct SqliteFacts {
  std::int64_t objects;
  std::int64_t state_columns;
  std::int64_t application_id;
};
BOOST_DESCRIBE_STRUCT(SqliteFacts, (), (objects, state_columns, application_id))

constexpr sql::Query<SqliteFacts(std::vector<std::string>)> sqlite_facts{
    "schema.sqlite_facts",
    "select (select count(*) from sqlite_master where name not like 'sqlite\\_%' escape '\\') as objects,"
    " (select count(*) from pragma_table_info('schema_migrations')"
    "  where name in (select value from json_each($1))) as state_columns,"
    " (select application_id from pragma_application_id) as application_id"};

struct PostgresFacts {
  std::optional<std::string> schema;
  bool empty;
  std::int64_t state_columns;
};
BOOST_DESCRIBE_STRUCT(PostgresFacts, (), (schema, empty, state_columns))

constexpr sql::Query<PostgresFacts(std::vector<std::string>)> postgres_facts{
    "schema.pg_facts",
    "select current_schema()::text as schema,"
    " not exists (select from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', "
    "'v', 'm', 'f')"
    "             and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid"
    "                             and d.deptype = 'e')) as empty,"
    " (select count(*) from pg_attribute a where a.attrelid = to_regclass(quote_ident(current_schema()) || "
    "'.schema_migrations')"
    "   and a.attname = any($1::text[]) and not a.attisdropped) as state_columns"};

constexpr sql::Query<AppliedMigration()> all_rows{
    "schema.migrations",
    "select version, name, checksum, kind, statement_count, applied_count, statement_hashes, started_at, finished_at, "
    "duration_us,"
    " error_message, error_sqlstate, error_statement, tool_version, host, os_user from schema_migrations order by version"};

constexpr sql::Command<void(AppliedMigration)> insert_migration{
    "schema.insert_migration",
    "insert into schema_migrations (version, name, checksum, kind, statement_count, applied_count, statement_hashes, "
    "started_at,"
    " finished_at, duration_us, error_message, error_sqlstate, error_statement, tool_version, host, os_user)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"};

constexpr sql::Command<void(AppliedMigration)> update_migration{
    "schema.update_migration",
    "update schema_migrations set name = $2, checksum = $3, kind = $4, statement_count = $5, applied_count = $6,"
    " statement_hashes = $7, started_at = $8, finished_at = $9, duration_us = $10, error_message = $11, error_sqlstate = "
    "$12,"
    " error_statement = $13, tool_version = $14, host = $15, os_user = $16 where version = $1"};

constexpr sql::Command<void(std::int64_t)> delete_migration{"schema.delete_migration",
                                                            "delete from schema_migrations where version = $1"};

constexpr sql::Query<LogEntry()> all_log{"schema.log",
                                         "select version, name, direction, checksum, started_at, finished_at, outcome, "
                                         "error_message, error_sqlstate, error_statement,"
                                         " tool_version, host, os_user from schema_migration_log order by id"};

constexpr sql::Command<void(LogEntry)> insert_log_entry{
    "schema.insert_log",
    "insert into schema_migration_log (version, name, direction, checksum, started_at, finished_at, outcome, error_message,"
    " error_sqlstate, error_statement, tool_version, host, os_user)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};

std::vector<std::string> names_of_state_columns() { return {state_columns.begin(), state_columns.end()}; }

Ownership ownership_of_sqlite(Read& tx) {
  const auto facts = tx.value(sqlite_facts, names_of_state_columns());
  if (facts.application_id != 0 && facts.application_id != application_id) return Ownership::foreign;
  if (facts.objects == 0) return Ownership::empty;
  return facts.application_id == application_id && facts.state_columns == std::ssize(state_columns) ? Ownership::ours
                                                                                                    : Ownership::foreign;
}

Ownership ownership_of_postgres(Read& tx) {
  const auto facts = tx.value(postgres_facts, names_of_state_columns());
  if (!facts.schema)
    throw MigrationError(Reason::not_initialised,
                         "the search path names no schema that exists: create it, or name another one in the URL's "
                         "options=-csearch_path=...");
  if (facts.state_columns == std::ssize(state_columns)) return Ownership::ours;
  return facts.empty ? Ownership::empty : Ownership::foreign;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found) return entry.pw_name;
  return fmt::format("{}", geteuid());
}

}  // namespace

std::int64_t StoredState::version() const {
  std::int64_t version = 0;
  for (const auto& row : rows)
    if (row.finished_at) version = row.version;
  return version;
}

const AppliedMigration* StoredState::interrupted() const {
  for (const auto& row : rows)
    if (!row.finished_at) return &row;
  return nullptr;
}

StoredState read_state(Read& tx) {
  StoredState state;
  state.ownership = tx.engine() == Engine::sqlite ? ownership_of_sqlite(tx) : ownership_of_postgres(tx);
  if (state.ownership == Ownership::ours) state.rows = tx.all(all_rows);
  return state;
}

bool has_state_tables(Read& tx) {
  const auto names = names_of_state_columns();
  const auto columns = tx.engine() == Engine::sqlite ? tx.value(sqlite_facts, names).state_columns
                                                     : tx.value(postgres_facts, names).state_columns;
  return columns == std::ssize(names);
}

void insert_row(Write& tx, const AppliedMigration& row) { tx.run(insert_migration, row); }
void update_row(Write& tx, const AppliedMigration& row) { tx.run(update_migration, row); }
void delete_row(Write& tx, std::int64_t version) { tx.run(delete_migration, version); }
void insert_log(Write& tx, const LogEntry& entry) { tx.run(insert_log_entry, entry); }
std::vector<LogEntry> read_log(Read& tx) { return tx.all(all_log); }

AppliedMigration new_row(const Migration& migration, const Script& script, Instant now) {
  boost::json::array hashes;
  for (const auto& statement : script.statements) hashes.emplace_back(statement.hash);
  const auto count = static_cast<std::int64_t>(script.statements.size());
  return {.version = migration.version,
          .name = migration.name,
          .checksum = script.checksum,
          .kind = "applied",
          .statement_count = count,
          .applied_count = 0,
          .statement_hashes = Json{boost::json::serialize(hashes)},
          .started_at = now,
          .finished_at = {},
          .duration_us = {},
          .error_message = {},
          .error_sqlstate = {},
          .error_statement = {},
          .tool_version = QUARRY_VERSION,
          .host = host_name(),
          .os_user = user_name()};
}

LogEntry log_of(const AppliedMigration& row, Direction direction, std::string outcome, Instant now) {
  return {.version = row.version,
          .name = row.name,
          .direction = std::string(to_string(direction)),
          .checksum = row.checksum,
          .started_at = row.started_at,
          .finished_at = now,
          .outcome = std::move(outcome),
          .error_message = row.error_message,
          .error_sqlstate = row.error_sqlstate,
          .error_statement = row.error_statement,
          .tool_version = row.tool_version,
          .host = row.host,
          .os_user = row.os_user};
}

void set_application_id(Write& tx, bool ours) {
  tx.session().run_script("schema.application_id", fmt::format("pragma application_id = {}", ours ? application_id : 0));
}

}  // namespace quarry::schema
