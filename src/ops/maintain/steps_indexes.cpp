/// Indexes on PostgreSQL: what is left of rebuilds that were killed goes, and what has grown far beyond its need is rebuilt
/// beside the work.
///
/// What a B-tree needs is estimated as pgstattuple-free estimates do (the widths of its columns from pg_stats, 8 bytes for
/// each entry and 4 for its pointer, pages filled to nine tenths): too much where entries are deduplicated, so that an index
/// that seems bloated is.

#include <fmt/format.h>

#include "ops/maintain/steps.hpp"
#include "quarry/core/error.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::ops::upkeep {
namespace {

// REINDEX CONCURRENTLY that was killed leaves one of the two, invalid. One that is being built right now is somebody's.
constexpr sql::Query<std::string()> leftovers{
    "maintain.index_leftovers", sql::sqlite("select '' where false"),
    sql::postgres("select quote_ident(i.relname) from pg_index x join pg_class i on i.oid = x.indexrelid"
                  " where not x.indisvalid and i.relnamespace = current_schema()::regnamespace"
                  " and i.relname ~ '_cc(new|old)[0-9]*$'"
                  " and not exists (select from pg_stat_progress_create_index p where p.relid = x.indrelid)"
                  " order by i.relname")};
constexpr sql::Query<std::string()> invalid_indexes{
    "maintain.invalid_indexes", sql::sqlite("select '' where false"),
    sql::postgres("select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid"
                  " where not x.indisvalid and i.relkind = 'i' and i.relnamespace = current_schema()::regnamespace"
                  " and i.relname !~ '_cc(new|old)[0-9]*$'"
                  " and not exists (select from pg_stat_progress_create_index p where p.relid = x.indrelid)"
                  " order by i.relname")};

struct Bloated {
  std::string name;
  std::int64_t bytes;
};
BOOST_DESCRIBE_STRUCT(Bloated, (), (name, bytes))
/// Larger than `$1` bytes, and more than `$2` percent of what it needs.
constexpr sql::Query<Bloated(std::int64_t, std::int64_t)> bloated_indexes{
    "maintain.bloated_indexes", sql::sqlite("select '' as name, 0 as bytes where $1 > $2 and false"),
    sql::postgres(
        "with trees as (select i.oid, i.relname, i.reltuples, x.indrelid, x.indkey, pg_relation_size(i.oid) as bytes"
        "  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_am m on m.oid = i.relam"
        "  where m.amname = 'btree' and i.relkind = 'i' and x.indisvalid and not x.indisexclusion"
        "  and i.relnamespace = current_schema()::regnamespace and i.reltuples >= 0 and i.relpersistence = 'p'),"
        " entries as (select t.oid, 16 + 7 + coalesce((select sum(coalesce(s.avg_width,"
        "    (select avg_width from pg_stats e where e.schemaname = current_schema() and e.tablename = t.relname"
        "     and e.attname = ia.attname), 32))"
        "   from pg_attribute ia left join pg_attribute a on a.attrelid = t.indrelid and a.attnum = t.indkey[ia.attnum - 1]"
        "    left join pg_stats s on s.schemaname = current_schema() and s.attname = a.attname"
        "     and s.tablename = (select relname from pg_class where oid = t.indrelid)"
        "   where ia.attrelid = t.oid), 32) as width from trees t where t.bytes >= $1)"
        " select quote_ident(t.relname) as name, t.bytes from trees t join entries e on e.oid = t.oid"
        " where t.bytes * 100.0 > $2 * (t.reltuples * (e.width + 4) / 0.9 + 4 * current_setting('block_size')::bigint)"
        " order by t.bytes desc")};
constexpr sql::Query<std::int64_t(std::string_view)> index_bytes{
    "maintain.index_bytes", sql::sqlite("select 0 where $1 <> ''"),
    sql::postgres("select coalesce(pg_relation_size(to_regclass($1)), 0)")};

/// Outside of any transaction, and never waiting for a lock for long: those who come behind it would wait as well.
void run_concurrently(Step& step, const std::string& sql) {
  const auto session = step.db().backend().dedicated();
  session->session().run_script("maintain.lock_timeout", "set lock_timeout = '10s'");
  session->session().run_script("maintain.index", sql);
}

bool drop_leftovers(Step& step) {
  bool any = false;
  for (const auto& index : step.db().read([](Read& tx) { return tx.all(leftovers); })) {
    const auto begin = std::chrono::steady_clock::now();
    if (!step.dry_run()) run_concurrently(step, "drop index concurrently if exists " + index);
    step.count("leftovers dropped", 1);
    any = true;
    step.rest(begin);
  }
  return any;
}

}  // namespace

void rebuild_indexes(Step& step) {
  if (step.is_sqlite()) return step.skip("SQLite's indexes give their space back to the file by themselves");
  drop_leftovers(step);
  const auto bytes_min = step.setting("maintain.reindex_min_mb").value_or(64) * 1'048'576;
  const auto percent = step.setting("maintain.reindex_percent").value_or(300);
  const auto found = step.db().read([&](Read& tx) { return tx.all(bloated_indexes, bytes_min, percent); });
  for (const auto& index : found) {
    const auto begin = std::chrono::steady_clock::now();
    if (!step.dry_run()) {
      run_concurrently(step, "reindex index concurrently " + index.name);
      step.count("bytes given back", index.bytes - step.look(index_bytes, index.name));
    }
    step.count("indexes rebuilt", 1);
    step.rest(begin);
  }
  std::string invalid;
  for (const auto& name : step.db().read([](Read& tx) { return tx.all(invalid_indexes); }))
    invalid += (invalid.empty() ? "" : ", ") + name;
  if (!invalid.empty())
    throw Error(ErrorCode::corrupt,
                fmt::format("invalid indexes that nobody is building: {}: `reindex index concurrently NAME` makes each "
                            "valid again",
                            invalid));
}

}  // namespace quarry::ops::upkeep
