#pragma once
/// What PostgreSQL's catalogs say about the first schema of the search path, as rows. Names come as they are and, where a
/// statement is made of them, as quote_ident gives them (`_sql`). Objects of extensions are left out.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/sql/query.hpp"

namespace quarry::schema::catalog {

struct Named {
  std::string name;
  std::string name_sql;
};
BOOST_DESCRIBE_STRUCT(Named, (), (name, name_sql))

inline constexpr sql::Query<Named()> extensions{
    "schema.pg_extensions",
    "select extname::text as name, quote_ident(extname) as name_sql from pg_extension where extname <> 'plpgsql'"};

struct Enumeration : Named {
  std::vector<std::string> labels;
};
BOOST_DESCRIBE_STRUCT(Enumeration, (Named), (labels))

inline constexpr sql::Query<Enumeration()> enumerations{
    "schema.pg_enums",
    "select t.typname::text as name, quote_ident(t.typname) as name_sql,"
    "       array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) as labels"
    "  from pg_type t where t.typtype = 'e' and t.typnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = "
    "'e')"};

struct Domain : Named {
  std::string type;
  bool not_null = false;
  std::string default_value;
  std::vector<std::string> check_names;  ///< as SQL, in order
  std::vector<std::string> checks;       ///< `CHECK (...)`
};
BOOST_DESCRIBE_STRUCT(Domain, (Named), (type, not_null, default_value, check_names, checks))

inline constexpr sql::Query<Domain()> domains{
    "schema.pg_domains",
    "select t.typname::text as name, quote_ident(t.typname) as name_sql, format_type(t.typbasetype, t.typtypmod) as type,"
    "       t.typnotnull as not_null, coalesce(t.typdefault, '') as default_value,"
    "       array(select quote_ident(c.conname) from pg_constraint c where c.contypid = t.oid order by c.conname) as "
    "check_names,"
    "       array(select pg_get_constraintdef(c.oid, true) from pg_constraint c where c.contypid = t.oid order by "
    "c.conname) as checks"
    "  from pg_type t where t.typtype = 'd' and t.typnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = "
    "'e')"};

struct Sequence : Named {
  std::string definition;
};
BOOST_DESCRIBE_STRUCT(Sequence, (Named), (definition))

/// Those of identity columns belong to the column.
inline constexpr sql::Query<Sequence()> sequences{
    "schema.pg_sequences",
    "select c.relname::text as name, quote_ident(c.relname) as name_sql,"
    "       format('as %s start %s increment %s minvalue %s maxvalue %s cache %s%s', format_type(s.seqtypid, null), "
    "s.seqstart,"
    "              s.seqincrement, s.seqmin, s.seqmax, s.seqcache, case when s.seqcycle then ' cycle' else '' end) as "
    "definition"
    "  from pg_class c join pg_sequence s on s.seqrelid = c.oid"
    " where c.relnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid"
    "                   and d.deptype in ('e', 'i'))"};

struct Function : Named {
  std::string arguments;  ///< that tell it from others of its name
  std::string kind;       ///< function or procedure
  std::string result;
  std::string definition;
};
BOOST_DESCRIBE_STRUCT(Function, (Named), (arguments, kind, result, definition))

/// pg_get_functiondef names the schema even where the search path would do; without it, two schemas can be compared.
inline constexpr sql::Query<Function()> functions{
    "schema.pg_functions",
    "select p.proname::text as name, quote_ident(p.proname) as name_sql, pg_get_function_identity_arguments(p.oid) as "
    "arguments,"
    "       case p.prokind when 'p' then 'procedure' else 'function' end as kind,"
    "       coalesce(pg_get_function_result(p.oid), '') as result,"
    "       replace(pg_get_functiondef(p.oid), quote_ident(current_schema()) || '.' || quote_ident(p.proname) || '(',"
    "               quote_ident(p.proname) || '(') as definition"
    "  from pg_proc p where p.pronamespace = current_schema()::regnamespace and p.prokind in ('f', 'p')"
    "   and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = "
    "'e')"};

struct Table : Named {
  std::string persistence;
  std::string partition_key;
  std::string parent;  ///< of a partition
  std::string parent_sql;
  std::string bound;
  bool row_security = false;
  bool force_row_security = false;
  std::string options;
  std::string replica_identity;
};
BOOST_DESCRIBE_STRUCT(Table, (Named),
                      (persistence, partition_key, parent, parent_sql, bound, row_security, force_row_security, options,
                       replica_identity))

inline constexpr sql::Query<Table()> tables{
    "schema.pg_tables",
    "select c.relname::text as name, quote_ident(c.relname) as name_sql,"
    "       case c.relpersistence when 'u' then 'unlogged' else '' end as persistence,"
    "       coalesce(pg_get_partkeydef(c.oid), '') as partition_key,"
    "       coalesce(parent.relname::text, '') as parent, coalesce(quote_ident(parent.relname), '') as parent_sql,"
    "       coalesce(pg_get_expr(c.relpartbound, c.oid), '') as bound,"
    "       c.relrowsecurity as row_security, c.relforcerowsecurity as force_row_security,"
    "       coalesce(array_to_string(array(select o from unnest(c.reloptions) o order by o), ', '), '') as options,"
    "       case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then 'using index ' ||"
    "         (select quote_ident(i.relname) from pg_index x join pg_class i on i.oid = x.indexrelid"
    "           where x.indrelid = c.oid and x.indisreplident) else '' end as replica_identity"
    "  from pg_class c left join pg_inherits h on h.inhrelid = c.oid and c.relispartition"
    "  left join pg_class parent on parent.oid = h.inhparent"
    " where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = "
    "'e')"};

struct Column : Named {
  std::string table_name;
  std::string table_sql;
  std::int64_t position = 0;
  std::string type;
  bool is_enum = false;
  std::string collation;
  bool not_null = false;
  std::string identity;
  std::string generated;
  std::string default_value;
  std::string storage;
};
BOOST_DESCRIBE_STRUCT(Column, (Named),
                      (table_name, table_sql, position, type, is_enum, collation, not_null, identity, generated,
                       default_value, storage))

/// A partition's columns are its parent's.
inline constexpr sql::Query<Column()> columns{
    "schema.pg_columns",
    "select a.attname::text as name, quote_ident(a.attname) as name_sql, c.relname::text as table_name,"
    "       quote_ident(c.relname) as table_sql, a.attnum::bigint as position, format_type(a.atttypid, a.atttypmod) as type,"
    "       t.typtype = 'e' as is_enum,"
    "       coalesce((select quote_ident(l.collname) from pg_collation l"
    "                  where l.oid = a.attcollation and a.attcollation <> t.typcollation), '') as collation,"
    "       a.attnotnull as not_null,"
    "       case a.attidentity when 'a' then 'always' when 'd' then 'by default' else '' end as identity,"
    "       case when a.attgenerated = '' then '' else pg_get_expr(d.adbin, d.adrelid) end as generated,"
    "       case when a.attgenerated = '' then coalesce(pg_get_expr(d.adbin, d.adrelid), '') else '' end as default_value,"
    "       case when a.attstorage = t.typstorage then '' else"
    "         case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end"
    "       end as storage"
    "  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid"
    "  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
    " where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition"
    "   and c.relnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = "
    "'e')"};

/// Constraints, indexes, triggers, policies: a definition by the engine, and whether it is in force.
struct Part : Named {
  std::string table_name;
  std::string table_sql;
  std::string kind;
  std::string definition;
  bool valid = true;
};
BOOST_DESCRIBE_STRUCT(Part, (Named), (table_name, table_sql, kind, definition, valid))

/// What a partition inherits is left out. NOT VALID is told by `valid` and not by the text.
inline constexpr sql::Query<Part()> constraints{
    "schema.pg_constraints",
    "select k.conname::text as name, quote_ident(k.conname) as name_sql, c.relname::text as table_name,"
    "       quote_ident(c.relname) as table_sql, k.contype::text as kind,"
    "       regexp_replace(pg_get_constraintdef(k.oid, true), ' NOT VALID$', '') as definition, k.convalidated as valid"
    "  from pg_constraint k join pg_class c on c.oid = k.conrelid"
    " where k.contype in ('p', 'u', 'c', 'f', 'x') and k.conislocal and k.conparentid = 0"
    "   and c.relnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = "
    "'e')"};

/// Without those that a constraint brings along, or a partitioned table's index. ON ONLY would leave the partitions out.
inline constexpr sql::Query<Part()> indexes{
    "schema.pg_indexes",
    "select i.relname::text as name, quote_ident(i.relname) as name_sql, c.relname::text as table_name,"
    "       quote_ident(c.relname) as table_sql, i.relkind::text as kind,"
    "       replace(pg_get_indexdef(i.oid, 0, true), ' ON ONLY ', ' ON ') as definition, x.indisvalid and x.indisready as "
    "valid"
    "  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid"
    " where i.relnamespace = current_schema()::regnamespace and not i.relispartition and c.relkind in ('r', 'p', 'm')"
    "   and not exists (select from pg_constraint k where k.conindid = i.oid and k.contype in ('p', 'u', 'x'))"
    "   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = "
    "'e')"};

struct View : Named {
  std::string kind;
  std::string options;
  std::string definition;
};
BOOST_DESCRIBE_STRUCT(View, (Named), (kind, options, definition))

inline constexpr sql::Query<View()> views{
    "schema.pg_views",
    "select c.relname::text as name, quote_ident(c.relname) as name_sql,"
    "       case c.relkind when 'm' then 'materialized view' else 'view' end as kind,"
    "       coalesce(array_to_string(array(select o from unnest(c.reloptions) o order by o), ', '), '') as options,"
    "       rtrim(pg_get_viewdef(c.oid, true), ';') as definition"
    "  from pg_class c where c.relkind in ('v', 'm') and c.relnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = "
    "'e')"};

/// `kind` is how it is enabled.
inline constexpr sql::Query<Part()> triggers{
    "schema.pg_triggers",
    "select t.tgname::text as name, quote_ident(t.tgname) as name_sql, c.relname::text as table_name,"
    "       quote_ident(c.relname) as table_sql,"
    "       case t.tgenabled when 'O' then 'enable' when 'D' then 'disable' when 'R' then 'enable replica' else 'enable "
    "always' end"
    "         as kind,"
    "       pg_get_triggerdef(t.oid, true) as definition, true as valid"
    "  from pg_trigger t join pg_class c on c.oid = t.tgrelid"
    " where not t.tgisinternal and t.tgparentid = 0 and c.relnamespace = current_schema()::regnamespace"};

/// `kind` is the command; the roles are sorted.
inline constexpr sql::Query<Part()> policies{
    "schema.pg_policies",
    "select p.polname::text as name, quote_ident(p.polname) as name_sql, c.relname::text as table_name,"
    "       quote_ident(c.relname) as table_sql, '' as kind,"
    "       case when p.polpermissive then 'as permissive' else 'as restrictive' end"
    "       || ' for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then "
    "'delete'"
    "                     else 'all' end"
    "       || ' to ' || (select string_agg(case r when 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ' "
    "order by 1)"
    "                       from unnest(p.polroles) r)"
    "       || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')"
    "       || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') as definition,"
    "       true as valid"
    "  from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = current_schema()::regnamespace"};

}  // namespace quarry::schema::catalog
