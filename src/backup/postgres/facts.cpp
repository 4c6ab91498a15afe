#include "backup/postgres/facts.hpp"

#include <fmt/format.h>

#include <boost/describe.hpp>
#include <optional>
#include <vector>

#include "backup/envelope.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/schema/model.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::backup::postgres {
namespace {

struct TableName {
  std::string schema;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(TableName, (), (schema, name))

struct Sums {
  std::int64_t rows = 0;
  std::string low;
  std::string high;
};
BOOST_DESCRIBE_STRUCT(Sums, (), (rows, low, high))

constexpr sql::Query<TableName()> all_tables{
    "backup.tables",
    "select n.nspname::text as schema, c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema$)' order by 1, 2"};
constexpr sql::Query<std::string()> server_version{"backup.version", "select current_setting('server_version')"};
constexpr sql::Query<std::optional<std::string>()> migrations_table{"backup.migrations",
                                                                    "select to_regclass('schema_migrations')::text"};
constexpr sql::Query<std::int64_t()> schema_version{
    "backup.schema_version",
    "select coalesce(max(version), 0)::bigint from schema_migrations where finished_at is not null"};

/// As the migrator tells it. Null when there is none of ours.
constexpr sql::Query<std::optional<std::string>(std::vector<std::string>)> our_schema{
    "backup.our_schema",
    "select case when count(*) = cardinality($1::text[]) then current_schema()::text end from pg_attribute"
    " where attrelid = to_regclass(quote_ident(current_schema()) || '.schema_migrations')"
    " and attname = any($1::text[]) and not attisdropped"};

/// Outside Quarry's schema, if `$1` says that there is one, anything; within it, what Quarry has none of. What belongs to an
/// extension is made again with it.
constexpr sql::Query<std::string(bool)> foreign_object{
    "backup.foreign_object",
    "with place as (select oid, nspname, $1 and nspname = current_schema() as ours from pg_namespace"
    "               where nspname !~ '^(pg_|information_schema$)'),"
    " found (catalog, id, name) as ("
    " select 'pg_class'::regclass, c.oid, case c.relkind when 'v' then 'the view ' when 'm' then 'the materialized view '"
    "   when 'S' then 'the sequence ' when 'f' then 'the foreign table ' else 'the table ' end || p.nspname || '.' ||"
    "   c.relname from pg_class c join place p on p.oid = c.relnamespace"
    "   where c.relkind in ('m', 'f') or not p.ours and c.relkind in ('r', 'p', 'v', 'S')"
    " union all select 'pg_proc'::regclass, f.oid, 'the function ' || p.nspname || '.' || f.proname from pg_proc f"
    "   join place p on p.oid = f.pronamespace where not p.ours"
    " union all select 'pg_type'::regclass, t.oid, 'the type ' || p.nspname || '.' || t.typname from pg_type t"
    "   join place p on p.oid = t.typnamespace where not p.ours and t.typtype in ('d', 'e', 'r')"
    " union all select 'pg_namespace'::regclass, p.oid, 'the schema ' || p.nspname from place p"
    "   where not p.ours and p.nspname <> 'public'"
    " union all select 'pg_largeobject'::regclass, l.oid, 'the large object ' || l.oid from pg_largeobject_metadata l)"
    " select name from found where not exists (select from pg_depend d where d.classid = found.catalog"
    "   and d.objid = found.id and d.deptype = 'e') limit 1"};

std::string full_name(const TableName& table) {
  return fmt::format("{}.{}", schema::quoted_name(table.schema), schema::quoted_name(table.name));
}

/// The text of a row depends on these.
constexpr std::string_view one_spelling =
    "set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set bytea_output = 'hex';"
    " set extra_float_digits = 1";

TableFacts table_facts(Read& tx, const TableName& table) {
  // A row's MD5 in two halves, each summed up: the order of the rows does not count, and no row can stand for another.
  const auto text = fmt::format(
      "select count(*)::bigint as rows, coalesce(sum(('x' || left(h, 15))::bit(60)::bigint), 0)::text as low,"
      " coalesce(sum(('x' || right(h, 15))::bit(60)::bigint), 0)::text as high from (select md5(t::text) as h from only {} "
      "t) as hashes",
      full_name(table));
  const auto sums = tx.value(sql::Query<Sums()>("backup.table_facts", text));
  return {.name = fmt::format("{}.{}", table.schema, table.name), .rows = sums.rows, .digest = sums.low + "+" + sums.high};
}

}  // namespace

std::string engine_version(Read& tx) { return tx.value(server_version); }

DatabaseFacts facts_of(Read& tx, sql::Session& session) {
  session.run_script("backup.one_spelling", one_spelling);
  DatabaseFacts facts;
  facts.engine = to_string(Engine::postgres);
  facts.engine_version = engine_version(tx);
  if (tx.value(migrations_table)) facts.schema_version = tx.value(schema_version);
  facts.schema_digest = hex(as_text(blake2b(schema::to_text(schema::introspect(tx)))));
  for (const auto& table : tx.all(all_tables)) facts.tables.push_back(table_facts(tx, table));
  return facts;
}

std::string what_would_be_lost(Read& tx) {
  const std::vector<std::string> state_columns{schema::state_columns.begin(), schema::state_columns.end()};
  const auto ours = tx.value(our_schema, state_columns);
  if (const auto object = tx.one(foreign_object, ours.has_value())) return *object + ", which is not Quarry's";
  for (const auto& table : tx.all(all_tables)) {
    if (table.name == "schema_migrations" || table.name == "schema_migration_log" || table.name == "subscription_plans")
      continue;
    const auto text = fmt::format("select exists (select 1 from only {})", full_name(table));
    if (tx.value(sql::Query<bool()>("backup.has_rows", text))) return fmt::format("rows, in {} for one", table.name);
  }
  return {};
}

}  // namespace quarry::backup::postgres
