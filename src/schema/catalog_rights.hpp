#pragma once
/// What PostgreSQL's catalogs say about who owns what, who may do what, and what is switched off; as rows, like
/// `catalog_postgres.hpp`.

#include "schema/catalog_postgres.hpp"

namespace quarry::schema::catalog {

/// Whose the schema is: who made the migrator's tables, or we.
struct Place {
  std::string owner;
  std::string schema;
};
BOOST_DESCRIBE_STRUCT(Place, (), (owner, schema))

inline constexpr sql::Query<Place()> place{
    "schema.pg_place",
    "select quote_ident(coalesce((select pg_get_userbyid(c.relowner) from pg_class c where c.relname = 'schema_migrations'"
    "                               and c.relnamespace = current_schema()::regnamespace), current_user)) as owner,"
    "       quote_ident(current_schema()) as schema"};

/// Something to be added to an object that the other queries have found.
struct Mark {
  std::string type;
  std::string table_name;
  std::string name;
  std::string value;
};
BOOST_DESCRIBE_STRUCT(Mark, (), (type, table_name, name, value))

/// Objects that are not the schema's owner's.
inline constexpr sql::Query<Mark()> other_owners{
    "schema.pg_other_owners",
    "with us as (select coalesce((select c.relowner from pg_class c where c.relname = 'schema_migrations'"
    "                               and c.relnamespace = current_schema()::regnamespace),"
    "                            (select oid from pg_roles where rolname = current_user)) as owner,"
    "                   current_schema()::regnamespace as place)"
    " select o.type, '' as table_name, o.name, quote_ident(pg_get_userbyid(o.owner)) as value from us, lateral ("
    "   select case when c.relkind in ('r', 'p') then 'table' when c.relkind = 'S' then 'sequence' else 'view' end as type,"
    "          c.relname::text as name, c.relowner as owner from pg_class c"
    "    where c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relnamespace = us.place"
    "   union all"
    "   select 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.proowner from pg_proc p"
    "    where p.pronamespace = us.place"
    "   union all"
    "   select case t.typtype when 'e' then 'enum' else 'domain' end, t.typname::text, t.typowner from pg_type t"
    "    where t.typtype in ('e', 'd') and t.typnamespace = us.place) o"
    " where o.owner <> us.owner"};

/// Constraints that are not enforced: the engine's triggers behind a key are off, or the index under one is invalid.
inline constexpr sql::Query<Mark()> unenforced{
    "schema.pg_unenforced",
    "select 'constraint' as type, c.relname::text as table_name, k.conname::text as name,"
    "       case when k.contype = 'f' then 'no, its triggers are off' else 'no, its index is invalid' end as value"
    "  from pg_constraint k join pg_class c on c.oid = k.conrelid"
    " where k.conparentid = 0 and c.relnamespace = current_schema()::regnamespace"
    "   and (exists (select from pg_trigger t where t.tgenabled not in ('O', 'A') and (t.tgconstraint = k.oid"
    "                  or t.tgconstraint in (select p.oid from pg_constraint p where p.conparentid = k.oid)))"
    "        or k.contype in ('p', 'u', 'x') and exists (select from pg_index x where x.indexrelid = k.conindid"
    "                                           and not (x.indisvalid and x.indisready and x.indislive)))"};

/// Triggers of partitioned tables that are in another state on a partition.
inline constexpr sql::Query<Mark()> partition_triggers{
    "schema.pg_partition_triggers",
    "select 'trigger' as type, c.relname::text as table_name, p.tgname::text as name,"
    "       string_agg(d.relname::text, ', ' order by d.relname) as value"
    "  from pg_trigger t join pg_trigger p on p.oid = t.tgparentid join pg_class c on c.oid = p.tgrelid"
    "  join pg_class d on d.oid = t.tgrelid"
    " where t.tgenabled <> p.tgenabled and not p.tgisinternal and p.tgparentid = 0"
    "   and c.relnamespace = current_schema()::regnamespace group by 1, 2, 3"};

/// Identity columns whose numbers are drawn otherwise than one by one from 1.
inline constexpr sql::Query<Mark()> identity_sequences{
    "schema.pg_identity_sequences",
    "select 'column' as type, c.relname::text as table_name, a.attname::text as name,"
    "       format('start %s increment %s minvalue %s maxvalue %s cache %s%s', s.seqstart, s.seqincrement, s.seqmin, "
    "s.seqmax,"
    "              s.seqcache, case when s.seqcycle then ' cycle' else ' no cycle' end) as value"
    "  from pg_sequence s join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.seqrelid and d.deptype = 'i'"
    "  join pg_class c on c.oid = d.refobjid join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid"
    " where c.relnamespace = current_schema()::regnamespace and not c.relispartition"
    "   and (s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle) <> (1, 1, 1,"
    "        case s.seqtypid when 'smallint'::regtype then 32767 when 'integer'::regtype then 2147483647"
    "          else 9223372036854775807 end, 1, false)"};

/// Rules on tables; those that make views are views.
inline constexpr sql::Query<Part()> rules{
    "schema.pg_rules",
    "select r.rulename::text as name, quote_ident(r.rulename) as name_sql, c.relname::text as table_name,"
    "       quote_ident(c.relname) as table_sql,"
    "       case r.ev_enabled when 'O' then 'enable' when 'D' then 'disable' when 'R' then 'enable replica'"
    "         else 'enable always' end as kind,"
    "       rtrim(pg_get_ruledef(r.oid, true), ';') as definition, true as valid"
    "  from pg_rewrite r join pg_class c on c.oid = r.ev_class"
    " where r.rulename <> '_RETURN' and c.relnamespace = current_schema()::regnamespace"
    "   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = "
    "'e')"};

/// The roles of docs/tenants.md, and what they can do more than a role that was just made without login.
struct Role : Named {
  bool logs_in = false;
  bool superuser = false;
  bool bypasses_row_security = false;
  bool creates_roles = false;
  bool creates_databases = false;
  bool replicates = false;
  std::string member_of;
  std::string settings;
};
BOOST_DESCRIBE_STRUCT(Role, (Named),
                      (logs_in, superuser, bypasses_row_security, creates_roles, creates_databases, replicates, member_of,
                       settings))

inline constexpr sql::Query<Role()> roles{
    "schema.pg_roles",
    "select r.rolname::text as name, quote_ident(r.rolname) as name_sql, r.rolcanlogin as logs_in, r.rolsuper as superuser,"
    "       r.rolbypassrls as bypasses_row_security, r.rolcreaterole as creates_roles, r.rolcreatedb as creates_databases,"
    "       r.rolreplication as replicates,"
    "       coalesce((select string_agg(quote_ident(g.rolname), ', ' order by g.rolname) from pg_auth_members m"
    "                   join pg_roles g on g.oid = m.roleid where m.member = r.oid), '') as member_of,"
    "       coalesce((select string_agg(array_to_string(s.setconfig, ', '), ', ' order by s.setdatabase)"
    "                   from pg_db_role_setting s where s.setrole = r.oid and s.setdatabase in"
    "                     (0, (select d.oid from pg_database d where d.datname = current_database()))), '') as settings"
    "  from pg_roles r where r.rolname in ('quarry_system', 'quarry_tenant')"};

/// Who may do what, where that differs from what the object began with.
struct Grant {
  std::string table_name;  ///< of a table or one of its columns
  std::string place;       ///< `(email) `, `function f(integer) `
  std::string prefix;      ///< what the statement begins with: ALTER DEFAULT PRIVILEGES
  std::string on_what;     ///< as SQL: `table users`
  std::string grantee;     ///< as SQL: `public`, or empty for the owner
  std::string privileges;
  std::string base;
};
BOOST_DESCRIBE_STRUCT(Grant, (), (table_name, place, prefix, on_what, grantee, privileges, base))

inline constexpr sql::Query<Grant()> grants{
    "schema.pg_grants",
    "with us as (select current_schema()::regnamespace as place), things as ("
    "  select c.relname::text as table_name, '' as place, '' as prefix, 'table ' || quote_ident(c.relname) as on_what,"
    "         '' as part, c.relowner as owner, c.relacl as acl, acldefault('r', c.relowner) as base, c.oid,"
    "         'pg_class'::regclass as class"
    "    from pg_class c, us where c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace = us.place"
    "  union all"
    "  select c.relname::text, '(' || a.attname || ') ', '', 'table ' || quote_ident(c.relname), ' (' || "
    "quote_ident(a.attname) || ')', c.relowner, a.attacl, acldefault('c', c.relowner), c.oid, 'pg_class'::regclass"
    "    from pg_attribute a join pg_class c on c.oid = a.attrelid, us"
    "   where a.attacl is not null and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace = "
    "us.place"
    "  union all"
    "  select '', 'sequence ' || c.relname || ' ', '', 'sequence ' || quote_ident(c.relname), '', c.relowner, c.relacl,"
    "         acldefault('s', c.relowner), c.oid, 'pg_class'::regclass"
    "    from pg_class c, us where c.relkind = 'S' and c.relnamespace = us.place"
    "  union all"
    "  select '', f.word || ' ' || p.proname || f.args || ' ', '', f.word || ' ' || quote_ident(p.proname) || f.args, '',"
    "         p.proowner, p.proacl, acldefault('f', p.proowner), p.oid, 'pg_proc'::regclass"
    "    from pg_proc p, us, lateral (select case p.prokind when 'p' then 'procedure' else 'function' end as word,"
    "                                        '(' || pg_get_function_identity_arguments(p.oid) || ')' as args) f"
    "   where p.pronamespace = us.place and p.prokind in ('f', 'p')"
    "  union all"
    "  select '', 'type ' || t.typname || ' ', '', 'type ' || quote_ident(t.typname), '', t.typowner, t.typacl,"
    "         acldefault('T', t.typowner), t.oid, 'pg_type'::regclass"
    "    from pg_type t, us where t.typtype in ('e', 'd') and t.typnamespace = us.place"
    "  union all"
    "  select '', 'schema ', '', 'schema ' || quote_ident(n.nspname), '', n.nspowner, n.nspacl, acldefault('n', n.nspowner),"
    "         n.oid, 'pg_namespace'::regclass from pg_namespace n, us where n.oid = us.place"
    "  union all"
    "  select '', 'new ' || w.word || ' of ' || quote_ident(pg_get_userbyid(a.defaclrole)) || ' ',"
    "         format('alter default privileges for role %I in schema %I ', pg_get_userbyid(a.defaclrole), current_schema()),"
    "         w.word, '', a.defaclrole, a.defaclacl, acldefault('c', a.defaclrole), a.oid, 'pg_default_acl'::regclass"
    "    from pg_default_acl a, us, lateral (select case a.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'"
    "                                          when 'f' then 'functions' when 'T' then 'types' else 'schemas' end as word) w"
    "   where a.defaclnamespace = us.place)"
    " select t.table_name, t.place, t.prefix, t.on_what,"
    "        case when who.grantee = 0 then 'public' when who.grantee = t.owner then ''"
    "             else coalesce((select quote_ident(r.rolname) from pg_roles r where r.oid = who.grantee),"
    "                           who.grantee::text) end as grantee,"
    "        array_to_string(list.privileges, ', ') as privileges, array_to_string(list.base, ', ') as base"
    "   from things t,"
    "   lateral (select grantee from aclexplode(coalesce(t.acl, t.base)) union select grantee from aclexplode(t.base)) who,"
    "   lateral (select"
    "     array(select lower(e.privilege_type) || t.part || case when bool_or(e.is_grantable) then ' with grant option'"
    "                    else '' end from aclexplode(coalesce(t.acl, t.base)) e where e.grantee = who.grantee"
    "            group by e.privilege_type order by 1) as privileges,"
    "     array(select lower(e.privilege_type) || t.part from aclexplode(t.base) e where e.grantee = who.grantee"
    "            order by 1) as base) list"
    "  where list.privileges <> list.base"
    "    and not exists (select from pg_depend d where d.classid = t.class and d.objid = t.oid"
    "                    and (d.deptype = 'e' or (d.deptype = 'i' and t.on_what like 'sequence %')))"};

}  // namespace quarry::schema::catalog
